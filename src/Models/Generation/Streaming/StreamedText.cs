using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>The text of tokens as it becomes certain: whole characters, and nothing that may be the beginning of a stop string.</summary>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="stops">The stop strings; what begins with one is left out.</param>
internal sealed class StreamedText(PretrainedTokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly DecodeStream _stream = tokenizer.CreateDecodeStream();
    private string _held = "";
    private bool _isOver;

    /// <summary>Takes a token.</summary>
    /// <param name="id">The token.</param>
    /// <param name="isLast">Whether no other follows.</param>
    /// <returns>The text that is certain now.</returns>
    public string Add(int id, bool isLast)
    {
        if (_isOver) return "";
        _held += _stream.Add(id);
        if (isLast) _held += _stream.Flush();
        int end = stops.Select(stop => _held.IndexOf(stop, StringComparison.Ordinal)).Where(static index => index >= 0).DefaultIfEmpty(-1).Min();
        if (end >= 0) _isOver = true;
        else end = isLast ? _held.Length : _held.Length - stops.Select(LengthOfBeginning).DefaultIfEmpty(0).Max();
        string text = _held[..end];
        _held = _held[end..];
        return text;
    }

    /// <summary>How much of a stop string the held text ends with.</summary>
    private int LengthOfBeginning(string stop)
    {
        for (int length = Math.Min(stop.Length - 1, _held.Length); length > 0; length--)
            if (_held.AsSpan().EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal)) return length;
        return 0;
    }
}
