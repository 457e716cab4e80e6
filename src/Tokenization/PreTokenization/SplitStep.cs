namespace MLComponents.Tokenization;

/// <summary><c>Split</c> and <c>Digits</c>: cuts at the matches of a pattern.</summary>
/// <param name="pattern">What to look for.</param>
/// <param name="behavior">What becomes of the matches.</param>
/// <param name="invert">Whether what the pattern does not match counts as the matches.</param>
internal sealed class SplitStep(TextPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        List<(int Start, int End, bool IsMatch)>? parts = null;
        for (int piece = 0; piece < text.Pieces.Count; piece++)
        {
            int start = text.Pieces.Start(piece);
            ReadOnlySpan<char> characters = text.Text.Characters[start..text.Pieces.End(piece)];
            if (pattern is PublishedPattern published && behavior == SplitBehavior.Isolated)
            {
                published.Split(characters, start, text.Spare);
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
        int from = 0;
        int lastEnd = -1;
        while (from <= text.Length && pattern.TryFind(text, from, out int start, out int end))
        {
            if (start == end && start == lastEnd)
            {
                // An empty match right behind a match does not count; the search goes on one code point further.
                from = start < text.Length ? start + StepLength(text, start) : start + 1;
                continue;
            }

            if (covered < start) parts.Add((covered, start, invert));
            parts.Add((start, end, !invert));
            covered = from = lastEnd = end;
        }

        if (covered < text.Length) parts.Add((covered, text.Length, invert));
    }

    private static int StepLength(ReadOnlySpan<char> text, int index)
    {
        CodePoints.At(text, index, out int length);
        return length;
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
