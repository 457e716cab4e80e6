using System.Collections;

namespace MLComponents.Tokenization;

/// <summary>
/// <c>NFC</c>, <c>NFD</c>, <c>NFKC</c>, <c>NFKD</c>: decomposition, reordering and, for two of them, composition (Unicode Standard Annex
/// 15), with the alignment of the reference: a composed character has the range of the character it began with.
/// </summary>
internal sealed class UnicodeNormalizer : TextNormalizer
{
    private static readonly UnicodeData Data = UnicodeData.Instance;
    private static readonly UnicodeNormalizer?[] Forms = new UnicodeNormalizer?[4];

    private readonly bool _composes;
    private readonly bool _compatible;
    private readonly BitArray _active = new(0x10000);

    private UnicodeNormalizer(bool composes, bool compatible)
    {
        (_composes, _compatible) = (composes, compatible);
        for (int codePoint = 0; codePoint < 0x10000; codePoint++) _active[codePoint] = Data.IsActive(codePoint, composes, compatible);
    }

    /// <summary>The normalizer of a form.</summary>
    /// <param name="composes">Whether characters are composed again.</param>
    /// <param name="compatible">Whether compatibility characters are replaced.</param>
    public static UnicodeNormalizer Get(bool composes, bool compatible) =>
        Forms[(composes ? 1 : 0) + (compatible ? 2 : 0)] ??= new UnicodeNormalizer(composes, compatible);

    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        if (IsInert(text.Characters)) return text;
        List<(int CodePoint, int Change)> decomposed = Decompose(text.Characters);
        var builder = new AlignedTextBuilder(text);
        if (_composes) Compose(decomposed, ref builder);
        else foreach ((int codePoint, int change) in decomposed) builder.Transform(codePoint, change);
        return builder.Build();
    }

    private bool IsInert(ReadOnlySpan<char> text)
    {
        int index = text.IndexOfAnyInRange('\u0080', '\uFFFF');
        if (index < 0) return true;
        for (; index < text.Length; index++)
        {
            char unit = text[index];
            if (char.IsHighSurrogate(unit))
            {
                if (Data.IsActive(CodePoints.At(text, index, out _), _composes, _compatible)) return false;
                index++;
            }
            else if (_active[unit])
            {
                return false;
            }
        }

        return true;
    }

    // Every code point with its change: 0 for the first of a decomposition, 1 for what is added to it.
    private List<(int CodePoint, int Change)> Decompose(ReadOnlySpan<char> text)
    {
        var result = new List<(int CodePoint, int Change)>(text.Length + 16);
        int pending = 0; // where the run of combining marks that is to be sorted begins
        for (int index = 0; index < text.Length;)
        {
            int codePoint = CodePoints.At(text, index, out int length);
            index += length;
            int change = 0;
            foreach (int part in Data.Decompose(codePoint, _compatible))
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
