using MLComponents.Tokenization;

namespace MLComponents.Models;

/// <summary>A set of code points without surrogates, as ranges in order.</summary>
internal sealed class CodePointRanges
{
    private const int Last = 0x10FFFF;

    private CodePointRanges(List<(int First, int Last)> ranges) => Ranges = ranges;

    /// <summary>The ranges, both ends included, in order and apart from each other.</summary>
    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    public static CodePointRanges Of(params (int First, int Last)[] ranges) => Where(codePoint => ranges.Any(range => codePoint >= range.First && codePoint <= range.Last));

    public static CodePointRanges Of(CodePointSet set) => Where(set.Contains);

    /// <summary>The code points for which a rule holds.</summary>
    public static CodePointRanges Where(Func<int, bool> rule) => new([.. Parts(0, 0xD7FF, rule), .. Parts(0xE000, Last, rule)]);

    public bool Contains(int codePoint) => Ranges.Any(range => codePoint >= range.First && codePoint <= range.Last);

    /// <summary>Those for which a rule holds, too.</summary>
    public CodePointRanges And(Func<int, bool> rule) => new([.. Ranges.SelectMany(range => Parts(range.First, range.Last, rule))]);

    /// <summary>The UTF-8 of the set: sequences of byte ranges. Thompson's and Cox's construction, "Regular Expression Matching in the Wild", 2010.</summary>
    public IEnumerable<(byte First, byte Last)[]> Utf8()
    {
        foreach (var (first, last) in Ranges)
            foreach (var sequence in Split(first, last)) yield return sequence;
    }

    private static IEnumerable<(int First, int Last)> Parts(int from, int to, Func<int, bool> rule)
    {
        int first = -1;
        for (int codePoint = from; codePoint <= to + 1; codePoint++)
        {
            bool member = codePoint <= to && rule(codePoint);
            if (member && first < 0) first = codePoint;
            if (member || first < 0) continue;
            yield return (first, codePoint - 1);
            first = -1;
        }
    }

    private static IEnumerable<(byte First, byte Last)[]> Split(int first, int last)
    {
        // At the borders between lengths first, then at the borders of the last bytes.
        foreach (int border in (int[])[0x7F, 0x7FF, 0xFFFF])
        {
            if (first > border || last <= border) continue;
            return Split(first, border).Concat(Split(border + 1, last));
        }

        if (last < 0x80) return [[((byte)first, (byte)last)]];
        for (int shift = 6; shift < 24; shift += 6)
        {
            int mask = (1 << shift) - 1;
            if ((first & ~mask) == (last & ~mask)) continue;
            if ((first & mask) != 0) return Split(first, first | mask).Concat(Split((first | mask) + 1, last));
            if ((last & mask) != mask) return Split(first, (last & ~mask) - 1).Concat(Split(last & ~mask, last));
        }

        byte[] from = Encode(first), to = Encode(last);
        return [[.. from.Zip(to)]];
    }

    private static byte[] Encode(int codePoint) => System.Text.Encoding.UTF8.GetBytes(char.ConvertFromUtf32(codePoint));
}
