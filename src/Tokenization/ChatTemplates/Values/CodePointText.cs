using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Strings as Python sees them: sequences of code points. A lone surrogate is one.</summary>
internal static class CodePointText
{
    public static int Length(string text)
    {
        int length = text.Length;
        if (IsPlain(text)) return length;
        for (int index = 0; index + 1 < text.Length; index++)
        {
            if (!char.IsSurrogatePair(text[index], text[index + 1])) continue;
            length--;
            index++;
        }

        return length;
    }

    /// <summary>Every code point as a string.</summary>
    public static IEnumerable<object?> Characters(string text)
    {
        for (int index = 0; index < text.Length;)
        {
            int width = Width(text, index);
            yield return text.Substring(index, width);
            index += width;
        }
    }

    /// <summary>The code point at an index, which counts from the end where it is negative.</summary>
    public static bool TryCharacter(string text, long index, [NotNullWhen(true)] out string? character)
    {
        character = null;
        if (index < 0) index += Length(text);
        if (index < 0 || index >= text.Length) return false;
        int at = Index(text, index);
        if (at >= text.Length) return false;
        character = text.Substring(at, Width(text, at));
        return true;
    }

    /// <summary>The part between two indexes, which need not be in order.</summary>
    public static string Part(string text, long from, long to)
    {
        if (to <= from) return "";
        int start = Index(text, from);
        return text[start..(IsPlain(text) ? (int)Math.Min(to, text.Length) : start + Index(text[start..], to - from))];
    }

    /// <summary>The code points at the indexes of a range.</summary>
    public static string Pick(string text, RangeValue indexes)
    {
        int[] starts = [.. Starts(text)];
        var picked = new StringBuilder();
        for (long index = 0; index < indexes.Count; index++)
        {
            int at = starts[indexes[index]];
            picked.Append(text, at, Width(text, at));
        }

        return picked.ToString();
    }

    /// <summary>Where a code point begins, in UTF-16 units; the end of the text where it has fewer.</summary>
    public static int Index(string text, long codePoint)
    {
        if (IsPlain(text)) return (int)Math.Min(codePoint, text.Length);
        int index = 0;
        for (; codePoint > 0 && index < text.Length; codePoint--) index += Width(text, index);
        return index;
    }

    /// <summary>How many UTF-16 units the code point at an index has.</summary>
    public static int Width(string text, int index) => index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]) ? 2 : 1;

    /// <summary>Order by code points, which differs from the order of UTF-16 units.</summary>
    public static int Compare(string left, string right)
    {
        int common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length) return left.Length.CompareTo(right.Length);
        (char first, char second) = (left[common], right[common]);
        return char.IsSurrogate(first) != char.IsSurrogate(second) && first >= 0xD800 && second >= 0xD800
            ? char.IsSurrogate(first).CompareTo(char.IsSurrogate(second))
            : first.CompareTo(second);
    }

    private static IEnumerable<int> Starts(string text)
    {
        for (int index = 0; index < text.Length; index += Width(text, index)) yield return index;
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');
}
