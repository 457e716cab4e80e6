using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Text as it is written, within the bounds of a rendering.</summary>
internal sealed class OutputBuffer(RenderContext context)
{
    private readonly StringBuilder _text = new();
    private int _counted;
    private int _codePoints;

    public void Append(ReadOnlySpan<char> text)
    {
        context.Charge(text.Length);
        if (_text.Length + text.Length > context.MaxText)
            throw Fault.Limit($"The template writes more than {context.MaxText} characters ({nameof(ChatTemplateLimits)}.{nameof(ChatTemplateLimits.MaxOutputLength)}).");
        _text.Append(text);
    }

    public void Append(char character) => Append([character]);

    /// <summary>How many code points were written.</summary>
    public int CountCodePoints()
    {
        if (_counted < _text.Length)
        {
            _codePoints += CodePointText.Length(_text.ToString(_counted, _text.Length - _counted));
            _counted = _text.Length;
        }

        return _codePoints;
    }

    public override string ToString() => _text.ToString();
}
