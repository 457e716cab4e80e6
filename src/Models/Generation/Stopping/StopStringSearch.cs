using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>
/// Looks for stop strings in the text of a row as it grows. One that began in the prompt, or in another token than the one it ends with, is found, too. Not for
/// several threads at a time.
/// </summary>
internal sealed class StopStringSearch
{
    private readonly IReadOnlyList<string> _stops;
    private readonly int _longest;
    private readonly DecodeStream _stream;
    private string _tail = "";

    public StopStringSearch(PretrainedTokenizer tokenizer, IReadOnlyList<string> stops, ReadOnlySpan<int> promptIds)
    {
        (_stops, _longest) = (stops, stops.Max(static stop => stop.Length));
        _stream = tokenizer.CreateDecodeStream(skipSpecialTokens: false);

        // A token has at least one byte of text, or none at all: what stands further back is no part of a stop string.
        foreach (int id in promptIds[Math.Max(0, promptIds.Length - (4 * _longest))..]) Append(_stream.Add(id));
    }

    /// <summary>Takes the next token.</summary>
    /// <returns>The stop string that it completes, or null.</returns>
    public string? Add(int id)
    {
        string text = _stream.Add(id);
        if (text.Length == 0) return null;
        int before = _tail.Length;
        string all = _tail + text;
        string? found = null;
        int earliest = int.MaxValue;
        foreach (string stop in _stops)
        {
            // It has to end within the new text.
            int index = all.IndexOf(stop, Math.Max(0, before - stop.Length + 1), StringComparison.Ordinal);
            if (index >= 0 && index + stop.Length < earliest) (found, earliest) = (stop, index + stop.Length);
        }

        Append(text);
        return found;
    }

    private void Append(string text)
    {
        _tail += text;
        if (_tail.Length > _longest) _tail = _tail[^_longest..];
    }
}
