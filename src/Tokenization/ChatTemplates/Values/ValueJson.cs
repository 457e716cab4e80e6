using System.Globalization;
using System.Numerics;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Values as JSON, as Python's json.dumps writes them.</summary>
internal sealed class ValueJson(RenderContext context, bool ascii, string? indent, string itemSeparator, string keySeparator, bool sorted)
{
    private readonly StringBuilder _text = new();

    public string Write(object? value)
    {
        Write(value, 0);
        return context.Made(_text.ToString());
    }

    private void Write(object? value, int level)
    {
        context.Step();
        if (_text.Length > context.MaxText) context.Charge(_text.Length);
        switch (value)
        {
            case null: _text.Append("null"); break;
            case bool truth: _text.Append(truth ? "true" : "false"); break;
            case long or BigInteger: _text.Append(CultureInfo.InvariantCulture, $"{value}"); break;
            case double number: _text.Append(Number(number)); break;
            case string text: WriteString(text); break;
            case MarkupText markup: WriteString(markup.Text); break;
            case SequenceValue sequence:
                WriteItems('[', sequence.Items, ']', level, item => Write(item, level + 1));
                break;
            case DictValue dict:
                IEnumerable<KeyValuePair<object?, object?>> pairs = dict.Pairs;
                if (sorted) pairs = Sorting.Sort(context, [.. dict.Pairs], pair => pair.Key, reverse: false);
                WriteItems('{', pairs, '}', level, pair =>
                {
                    WriteString(Key(pair.Key));
                    _text.Append(keySeparator);
                    Write(pair.Value, level + 1);
                });
                break;
            default: throw Fault.Type($"Object of type {ValueTypes.Name(value)} is not JSON serializable");
        }
    }

    private void WriteItems<T>(char open, IEnumerable<T> items, char close, int level, Action<T> write)
    {
        _text.Append(open);
        bool any = false;
        foreach (T item in items)
        {
            if (any) _text.Append(itemSeparator);
            NewLine(level + 1);
            write(item);
            any = true;
        }

        if (any) NewLine(level);
        _text.Append(close);
    }

    private void NewLine(int level)
    {
        if (indent is null) return;
        _text.Append('\n');
        for (; level > 0; level--) _text.Append(indent);
    }

    private void WriteString(string text)
    {
        _text.Append('"');
        foreach (char character in text)
        {
            switch (character)
            {
                case '"': _text.Append("\\\""); break;
                case '\\': _text.Append("\\\\"); break;
                case '\n': _text.Append("\\n"); break;
                case '\r': _text.Append("\\r"); break;
                case '\t': _text.Append("\\t"); break;
                case '\f': _text.Append("\\f"); break;
                case '\b': _text.Append("\\b"); break;
                case < ' ': _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"); break;
                default:
                    if (ascii && character > '~') _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                    else _text.Append(character);
                    break;
            }
        }

        _text.Append('"');
    }

    private static string Key(object? key) => key switch
    {
        string text => text,
        MarkupText markup => markup.Text,
        null => "null",
        bool truth => truth ? "true" : "false",
        long or BigInteger => string.Create(CultureInfo.InvariantCulture, $"{key}"),
        double number => Number(number),
        _ => throw Fault.Type($"keys must be str, int, float, bool or None, not {ValueTypes.Name(key)}"),
    };

    private static string Number(double number) => double.IsNaN(number) ? "NaN" : double.IsInfinity(number) ? (number > 0 ? "Infinity" : "-Infinity") : Numbers.Repr(number);

}
