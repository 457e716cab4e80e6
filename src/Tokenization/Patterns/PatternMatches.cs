namespace MLComponents.Tokenization;

/// <summary>All matches of a pattern in a text, one after the other; an empty one right behind another match does not count.</summary>
internal struct PatternMatches(TextPattern pattern)
{
    private int _from = 0;
    private int _lastEnd = -1;

    /// <summary>Finds the next match.</summary>
    public bool Next(ReadOnlySpan<char> text, out int start, out int end)
    {
        while (_from <= text.Length && pattern.TryFind(text, _from, out start, out end))
        {
            if (start == end && start == _lastEnd)
            {
                // The search goes on one code point further.
                if (start < text.Length) CodePoints.At(text, start, out _from);
                else _from = 1;
                _from += start;
                continue;
            }

            _from = _lastEnd = end;
            return true;
        }

        start = end = text.Length;
        return false;
    }
}
