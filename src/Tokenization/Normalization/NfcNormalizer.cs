namespace MLComponents.Tokenization;

/// <summary>
/// <c>NFC</c>: canonical decomposition, reordering and composition (Unicode Standard Annex 15), with the alignment of the reference:
/// a composed character has the range of the character it began with.
/// </summary>
internal sealed class NfcNormalizer : TextNormalizer
{
    private static readonly CanonicalData Data = CanonicalData.Instance;

    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        // Everything below U+0300 is composed already and combines with nothing before it.
        if (!text.Characters.ContainsAnyInRange('\u0300', '\uFFFF') || Data.IsInert(text.Characters)) return text;
        List<(int CodePoint, int Change)> decomposed = Decompose(text.Characters);
        var builder = new AlignedTextBuilder(text);
        Compose(decomposed, ref builder);
        return builder.Build();
    }

    // Every code point with its change: 0 for the first of a decomposition, 1 for what is added to it.
    private static List<(int CodePoint, int Change)> Decompose(ReadOnlySpan<char> text)
    {
        var result = new List<(int CodePoint, int Change)>(text.Length + 16);
        int pending = 0; // where the run of combining marks that is to be sorted begins
        for (int index = 0; index < text.Length;)
        {
            int codePoint = CodePoints.At(text, index, out int length);
            index += length;
            int change = 0;
            foreach (int part in Data.Decompose(codePoint))
            {
                if (Data.CombiningClass(part) == 0)
                {
                    SortMarks(result, pending);
                    result.Add((part, change));
                    pending = result.Count;
                }
                else
                {
                    result.Add((part, change));
                }

                change = 1;
            }
        }

        SortMarks(result, pending);
        return result;
    }

    // A stable sort by combining class.
    private static void SortMarks(List<(int CodePoint, int Change)> marks, int from)
    {
        if (marks.Count - from < 2) return;
        (int CodePoint, int Change)[] sorted = [.. marks.Skip(from).OrderBy(mark => Data.CombiningClass(mark.CodePoint))];
        for (int index = 0; index < sorted.Length; index++) marks[from + index] = sorted[index];
    }

    private static void Compose(List<(int CodePoint, int Change)> decomposed, ref AlignedTextBuilder builder)
    {
        (int CodePoint, int Change)? starter = null;
        var waiting = new List<(int CodePoint, int Change)>(); // marks that did not combine with the starter
        int lastClass = -1;
        foreach ((int codePoint, int change) in decomposed)
        {
            int combiningClass = Data.CombiningClass(codePoint);
            if (starter is not { } first)
            {
                if (combiningClass == 0) starter = (codePoint, change);
                else builder.Transform(codePoint, change);
                continue;
            }

            bool blocked = lastClass >= 0 && lastClass >= combiningClass;
            if (!blocked && Data.TryCompose(first.CodePoint, codePoint, out int composed))
            {
                starter = (composed, first.Change + change - 1);
            }
            else if (combiningClass == 0)
            {
                Flush(first, waiting, ref builder);
                starter = (codePoint, change);
                lastClass = -1;
            }
            else
            {
                waiting.Add((codePoint, change));
                lastClass = combiningClass;
            }
        }

        if (starter is { } last) Flush(last, waiting, ref builder);
    }

    private static void Flush((int CodePoint, int Change) starter, List<(int CodePoint, int Change)> marks, ref AlignedTextBuilder builder)
    {
        builder.Transform(starter.CodePoint, starter.Change);
        foreach ((int codePoint, int change) in marks) builder.Transform(codePoint, change);
        marks.Clear();
    }
}
