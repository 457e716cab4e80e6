namespace MLComponents.Tokenization;

/// <summary>
/// Cuts at the matches of a pattern: <c>Split</c>, <c>Digits</c>, <c>Punctuation</c>, <c>Whitespace</c>, <c>WhitespaceSplit</c>,
/// <c>CharDelimiterSplit</c>.
/// </summary>
/// <param name="pattern">What to look for.</param>
/// <param name="behavior">What becomes of the matches.</param>
/// <param name="invert">Whether what the pattern does not match counts as the matches.</param>
internal sealed class SplitStep(TextPattern pattern, SplitBehavior behavior, bool invert = false) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        List<(int Start, int End, bool IsMatch)>? parts = null;
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int start = text.Pieces.Start(piece);
            ReadOnlySpan<char> characters = text.Text.Characters[start..text.Pieces.End(piece)];
            if (behavior == SplitBehavior.Isolated)
            {
                pattern.Split(characters, start, text.Spare);
                continue;
            }

            parts ??= [];
            parts.Clear();
            FindParts(characters, parts);
            Join(parts, start, text.Spare);
        }

        text.Advance(text.Text);
    }

    // Matches and the gaps between them, in order; together they cover the text.
    private void FindParts(ReadOnlySpan<char> text, List<(int Start, int End, bool IsMatch)> parts)
    {
        int covered = 0;
        var matches = new PatternMatches(pattern);
        while (matches.Next(text, out int start, out int end))
        {
            if (covered < start) parts.Add((covered, start, invert));
            parts.Add((start, end, !invert));
            covered = end;
        }

        if (covered < text.Length) parts.Add((covered, text.Length, invert));
    }

    private void Join(List<(int Start, int End, bool IsMatch)> parts, int offset, PieceList pieces)
    {
        int start = -1; // the piece under construction
        int end = -1;
        for (int index = 0; index < parts.Count; index++)
        {
            (int partStart, int partEnd, bool isMatch) = parts[index];
            if (behavior == SplitBehavior.Removed && isMatch) continue;
            if (start >= 0 && JoinsPrevious(parts, index))
            {
                end = partEnd;
                continue;
            }

            if (start >= 0) pieces.Add(offset + start, offset + end);
            (start, end) = (partStart, partEnd);
        }

        if (start >= 0) pieces.Add(offset + start, offset + end);
    }

    private bool JoinsPrevious(List<(int Start, int End, bool IsMatch)> parts, int index) => behavior switch
    {
        SplitBehavior.Contiguous => parts[index].IsMatch == parts[index - 1].IsMatch,
        SplitBehavior.MergedWithPrevious => parts[index].IsMatch && !parts[index - 1].IsMatch,
        SplitBehavior.MergedWithNext => !parts[index].IsMatch && parts[index - 1].IsMatch,
        _ => false,
    };
}
