using System.Globalization;
using System.Text;

namespace MLComponents.Transforms;

/// <summary>
/// Finds the words of a text, each of which gets one label: a run of letters, digits and what joins them to one; every other character that is not
/// white space by itself, and every character of scripts that are written without spaces.
/// </summary>
internal static class WordSplitter
{
    /// <summary>Where the words are, in UTF-16 code units, in order; every character that is not white space belongs to exactly one.</summary>
    public static List<(int Start, int End)> Split(ReadOnlySpan<char> text)
    {
        var words = new List<(int Start, int End)>();
        bool open = false; // whether the last word may grow by a letter
        for (int at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text[at..], out Rune rune, out int length);
            bool touches = words.Count > 0 && words[^1].End == at;
            if (Rune.IsWhiteSpace(rune))
            {
                open = false;
            }
            else if (touches && Attaches(rune))
            {
                words[^1] = (words[^1].Start, at + length);
            }
            else if (IsOfWord(rune))
            {
                if (open && touches) words[^1] = (words[^1].Start, at + length);
                else words.Add((at, at + length));
                open = true;
            }
            else
            {
                words.Add((at, at + length));
                open = false;
            }

            at += length;
        }

        return words;
    }

    private static bool Attaches(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format;

    private static bool IsOfWord(Rune rune) => (Rune.IsLetterOrDigit(rune) || rune.Value == '_') && !IsWrittenWithoutSpaces(rune.Value);

    /// <summary>Thai, Lao, Myanmar, Khmer, kana and Han.</summary>
    private static bool IsWrittenWithoutSpaces(int value) =>
        value is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF) or (>= 0x3040 and <= 0x30FF) or (>= 0x31F0 and <= 0x31FF)
            or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
