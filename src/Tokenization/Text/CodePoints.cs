using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Reading UTF-16 text by code points, and the Unicode properties that tokenizers ask for.</summary>
internal static class CodePoints
{
    /// <summary>What a lone surrogate is read as, as the reference does that only ever sees valid UTF-8.</summary>
    public const char Replacement = '\uFFFD';

    /// <summary>The code point at <paramref name="index"/> and its length in UTF-16 units; a lone surrogate is U+FFFD of length 1.</summary>
    public static int At(ReadOnlySpan<char> text, int index, out int length)
    {
        char first = text[index];
        length = 1;
        if (!char.IsSurrogate(first)) return first;
        if (char.IsHighSurrogate(first) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(first, text[index + 1]);
        }

        return Replacement;
    }

    /// <summary>The code point that ends before <paramref name="end"/>, with its length in UTF-16 units.</summary>
    public static int Before(ReadOnlySpan<char> text, int end, out int length)
    {
        char last = text[end - 1];
        length = 1;
        if (!char.IsSurrogate(last)) return last;
        if (char.IsLowSurrogate(last) && end >= 2 && char.IsHighSurrogate(text[end - 2]))
        {
            length = 2;
            return char.ConvertToUtf32(text[end - 2], last);
        }

        return Replacement;
    }

    /// <summary>The text itself where it is well formed, else a copy of the same length whose lone surrogates are U+FFFD.</summary>
    public static ReadOnlySpan<char> WellFormed(ReadOnlySpan<char> text)
    {
        int index = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        if (index < 0) return text;
        char[]? copy = null;
        while (index < text.Length)
        {
            if (At(text, index, out int length) == Replacement && text[index] != Replacement)
            {
                copy ??= text.ToArray();
                copy[index] = Replacement;
            }

            index += length;
        }

        return copy ?? text;
    }

    /// <summary>Unicode's White_Space, which is what <c>\s</c> means to the reference.</summary>
    public static bool IsWhiteSpace(int codePoint) => codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint);

    /// <summary>Whether the code point is a number of any kind (Nd, Nl, No).</summary>
    public static bool IsNumeric(int codePoint) => Category(codePoint)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Whether the code point is part of a word: letters, marks, decimal digits, letter numbers, connectors, joiners.</summary>
    public static bool IsWordCharacter(int codePoint) => Category(codePoint) switch
    {
        <= UnicodeCategory.LetterNumber => true,
        UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.Format => codePoint is 0x200C or 0x200D,
        UnicodeCategory.OtherSymbol => codePoint is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
        _ => false,
    };

    /// <summary>The general category of a code point.</summary>
    public static UnicodeCategory Category(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint);

    /// <summary>How many code points begin before every UTF-16 index of a text, its end included.</summary>
    public static int[] Indexes(string text)
    {
        var indexes = new int[text.Length + 1];
        for (int index = 0, count = 0; index < text.Length;)
        {
            At(text, index, out int length);
            index += length;
            indexes[index] = ++count;
        }

        return indexes;
    }

    /// <summary>The number of code points in a text; a lone surrogate counts as one.</summary>
    public static int Count(ReadOnlySpan<char> text)
    {
        int count = 0;
        for (int index = 0; index < text.Length; count++)
        {
            At(text, index, out int length);
            index += length;
        }

        return count;
    }

    /// <summary>Appends a code point as UTF-16.</summary>
    public static void Append(StringBuilder target, int codePoint)
    {
        if (codePoint < 0x10000) target.Append((char)codePoint);
        else target.Append(char.ConvertFromUtf32(codePoint));
    }
}
