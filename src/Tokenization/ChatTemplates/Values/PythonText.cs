using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>What Python's string methods do where .NET's do something else.</summary>
internal static class PythonText
{
    private static readonly Dictionary<char, string> Uppercase = new()
    {
        ['\u00DF'] = "SS", ['\u0149'] = "\u02BCN", ['\u01F0'] = "J\u030C", ['\u0390'] = "\u0399\u0308\u0301", ['\u03B0'] = "\u03A5\u0308\u0301",
        ['\u0587'] = "\u0535\u0552", ['\u1E96'] = "H\u0331", ['\u1E97'] = "T\u0308", ['\u1E98'] = "W\u030A", ['\u1E99'] = "Y\u030A", ['\u1E9A'] = "A\u02BE",
        ['\uFB00'] = "FF", ['\uFB01'] = "FI", ['\uFB02'] = "FL", ['\uFB03'] = "FFI", ['\uFB04'] = "FFL", ['\uFB05'] = "ST", ['\uFB06'] = "ST",
        ['\u0131'] = "I", ['\u017F'] = "S",
    };

    /// <summary>Whether Python counts a character as white space, which regular expressions do too.</summary>
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1C' and <= '\x1F';

    public static string Strip(string text) => Strip(text, null, left: true, right: true);

    /// <summary>Without the characters at its ends; white space where they are null.</summary>
    public static string Strip(string text, string? characters, bool left, bool right)
    {
        if (characters is null)
        {
            int from = 0, to = text.Length;
            while (left && from < to && IsSpace(text[from])) from++;
            while (right && to > from && IsSpace(text[to - 1])) to--;
            return text[from..to];
        }

        var set = new HashSet<Rune>(characters.EnumerateRunes());
        int start = 0, end = text.Length;
        while (left && start < end && Rune.TryGetRuneAt(text, start, out Rune first) && set.Contains(first)) start += first.Utf16SequenceLength;
        while (right && end > start && Rune.DecodeLastFromUtf16(text.AsSpan(start, end - start), out Rune last, out int width) == System.Buffers.OperationStatus.Done && set.Contains(last)) end -= width;
        return text[start..end];
    }

    /// <summary>Splits at runs of white space.</summary>
    public static List<string> SplitSpace(string text, long most, bool fromRight)
    {
        var parts = new List<string>();
        if (fromRight)
        {
            int end = text.Length;
            while (true)
            {
                while (end > 0 && IsSpace(text[end - 1])) end--;
                if (end == 0) break;
                int start = end;
                if (parts.Count == most) start = 0;
                else while (start > 0 && !IsSpace(text[start - 1])) start--;
                parts.Add(text[start..end]);
                end = start;
            }

            parts.Reverse();
            return parts;
        }

        for (int start = 0; ;)
        {
            while (start < text.Length && IsSpace(text[start])) start++;
            if (start == text.Length) return parts;
            int end = start;
            if (parts.Count == most) end = text.Length;
            else while (end < text.Length && !IsSpace(text[end])) end++;
            parts.Add(text[start..end]);
            start = end;
        }
    }

    /// <summary>Splits at a separator.</summary>
    public static List<string> Split(string text, string separator, long most, bool fromRight)
    {
        if (separator.Length == 0) throw Fault.Value("empty separator");
        var parts = new List<string>();
        if (fromRight)
        {
            int end = text.Length;
            while (parts.Count != most && end >= separator.Length && text.AsSpan(0, end).LastIndexOf(separator) is var found and >= 0)
            {
                parts.Add(text[(found + separator.Length)..end]);
                end = found;
            }

            parts.Add(text[..end]);
            parts.Reverse();
            return parts;
        }

        int start = 0;
        while (parts.Count != most && text.IndexOf(separator, start, StringComparison.Ordinal) is var found and >= 0)
        {
            parts.Add(text[start..found]);
            start = found + separator.Length;
        }

        parts.Add(text[start..]);
        return parts;
    }

    public static List<string> SplitLines(string text, bool keepEnds)
    {
        var lines = new List<string>();
        for (int start = 0; start < text.Length;)
        {
            int end = start;
            while (end < text.Length && !IsLineEnd(text[end])) end++;
            int next = end == text.Length ? end : end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
            lines.Add(text[start..(keepEnds ? next : end)]);
            start = next;
        }

        return lines;
    }

    /// <summary>With some occurrences replaced; all where most is negative.</summary>
    public static string Replace(RenderContext context, string text, string old, string other, long most)
    {
        if (most == 0 || (old.Length == 0 && most < 0 && other.Length == 0)) return text;
        var replaced = new StringBuilder();
        int start = 0;
        if (old.Length == 0)
        {
            for (long count = 0; ; count++)
            {
                if (count == most) break;
                replaced.Append(other);
                Check();
                if (start >= text.Length) break;
                int width = CodePointText.Width(text, start);
                replaced.Append(text, start, width);
                start += width;
            }

            return context.Made(replaced.Append(text, start, text.Length - start).ToString());
        }

        for (long count = 0; count != most && text.IndexOf(old, start, StringComparison.Ordinal) is var found and >= 0; count++)
        {
            replaced.Append(text, start, found - start).Append(other);
            Check();
            start = found + old.Length;
        }

        return start == 0 ? text : context.Made(replaced.Append(text, start, text.Length - start).ToString());

        void Check()
        {
            context.Step();
            if (replaced.Length > context.MaxText) context.Charge(replaced.Length);
        }
    }

    public static string Upper(string text)
    {
        string upper = text.ToUpperInvariant();
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', '\x7F') < 0 || !text.Any(Uppercase.ContainsKey)) return upper;
        var result = new StringBuilder();
        for (int index = 0; index < text.Length; index++) result.Append(Uppercase.TryGetValue(text[index], out string? special) ? special : upper[index].ToString());
        return result.ToString();
    }

    public static string Lower(string text)
    {
        string lower = text.ToLowerInvariant();
        if (text.AsSpan().IndexOfAny('\u0130', '\u03A3') < 0) return lower;
        var result = new StringBuilder();
        for (int index = 0; index < text.Length; index++)
        {
            if (text[index] == '\u0130') result.Append("i\u0307");
            else if (text[index] == '\u03A3') result.Append(IsFinal(text, index) ? '\u03C2' : '\u03C3');
            else result.Append(lower[index]);
        }

        return result.ToString();
    }

    /// <summary>The first character as a title has it, the others in lower case.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0) return text;
        int width = CodePointText.Width(text, 0);
        return TitleCase(text[..width]) + Lower(text)[Lower(text[..width]).Length..];
    }

    /// <summary>As str.title: every letter behind something that has no case is a capital.</summary>
    public static string Title(string text)
    {
        var title = new StringBuilder();
        bool inside = false;
        string lower = text.ToLowerInvariant();
        for (int index = 0; index < text.Length;)
        {
            int width = CodePointText.Width(text, index);
            string character = text.Substring(index, width);
            title.Append(!inside ? TitleCase(character) : character == "\u03A3" ? (IsFinal(text, index) ? "\u03C2" : "\u03C3") : character == "\u0130" ? "i\u0307" : lower.Substring(index, width));
            inside = HasCase(character);
            index += width;
        }

        return title.ToString();
    }

    public static string SwapCase(string text)
    {
        var swapped = new StringBuilder();
        for (int index = 0; index < text.Length;)
        {
            int width = CodePointText.Width(text, index);
            string character = text.Substring(index, width);
            swapped.Append(IsUpper(character) ? Lower(character) : IsLower(character) ? Upper(character) : character);
            index += width;
        }

        return swapped.ToString();
    }

    public static bool IsUpper(string character) => Category(character) == UnicodeCategory.UppercaseLetter || character[0] is >= '\u2160' and <= '\u216F' or >= '\u24B6' and <= '\u24CF';

    public static bool IsLower(string character) => Category(character) == UnicodeCategory.LowercaseLetter || character[0] is '\u00AA' or '\u00BA' or >= '\u02B0' and <= '\u02B8' or >= '\u2170' and <= '\u217F' or >= '\u24D0' and <= '\u24E9';

    public static bool HasCase(string character) => IsUpper(character) || IsLower(character) || Category(character) == UnicodeCategory.TitlecaseLetter;

    public static UnicodeCategory Category(string character) => CharUnicodeInfo.GetUnicodeCategory(character, 0);

    /// <summary>Whether a text is an identifier; the first character may be no digit.</summary>
    public static bool IsIdentifier(string text) => text.Length > 0 && !char.IsAsciiDigit(text[0]) && Category(text) != UnicodeCategory.DecimalDigitNumber && text.EnumerateRunes().All(rune => IsWord(rune));

    /// <summary>Whether a regular expression's \w matches.</summary>
    public static bool IsWord(Rune rune) => rune.Value == '_' || Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static string TitleCase(string character) => character[0] switch
    {
        '\u00DF' => "Ss",
        >= '\uFB00' and <= '\uFB06' => Upper(character)[0] + Upper(character)[1..].ToLowerInvariant(),
        '\u01C4' or '\u01C5' or '\u01C6' => "\u01C5",
        '\u01C7' or '\u01C8' or '\u01C9' => "\u01C8",
        '\u01CA' or '\u01CB' or '\u01CC' => "\u01CB",
        '\u01F1' or '\u01F2' or '\u01F3' => "\u01F2",
        _ => Upper(character),
    };

    // A sigma ends a word: letters before it, none after it.
    private static bool IsFinal(string text, int index)
    {
        int before = index - 1, after = index + 1;
        while (before >= 0 && IsIgnored(text[before])) before--;
        while (after < text.Length && IsIgnored(text[after])) after++;
        return before >= 0 && char.IsLetter(text[before]) && (after == text.Length || !char.IsLetter(text[after]));
    }

    private static bool IsIgnored(char character) => character is '\'' or '.' or ':' or '\u00AD' or '\u2019' || char.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format;

    private static bool IsLineEnd(char character) => character is '\n' or '\r' or '\v' or '\f' or (>= '\x1C' and <= '\x1E') or '\x85' or '\u2028' or '\u2029';
}
