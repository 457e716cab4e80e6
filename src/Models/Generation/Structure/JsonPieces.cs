using System.Text.Encodings.Web;
using System.Text.Json;

namespace MLComponents.Models;

/// <summary>JSON as parts of texts: compact, with one blank allowed behind a colon or comma.</summary>
internal static class JsonPieces
{
    private static readonly JsonSerializerOptions s_compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly CodePointRanges s_plain = CodePointRanges.Where(static codePoint => codePoint >= 0x20 && codePoint is not ('"' or '\\'));

    /// <summary>A digit.</summary>
    public static TextPiece Digit { get; } = Range('0', '9');

    /// <summary>What stands between members.</summary>
    public static TextPiece Separator { get; } = TextPiece.Of(",", TextPiece.Optional(" "));

    /// <summary>What stands between a name and its value.</summary>
    public static TextPiece Colon { get; } = TextPiece.Of(":", TextPiece.Optional(" "));

    /// <summary>A code point inside of a string: as it is or escaped, but no half of a pair.</summary>
    public static TextPiece Character { get; } = TextPiece.Any(
        new TextPiece.Characters(s_plain), TextPiece.Of("\\", new TextPiece.Characters(CodePointRanges.Where(static codePoint => codePoint < 128 && "\"\\/bfnrt".Contains((char)codePoint)))),
        TextPiece.Of("\\u", TextPiece.Any(
            TextPiece.Of(HexadecimalBut("dD"), Hexadecimal(3)), TextPiece.Of(TextPiece.Any("d", "D"), Range('0', '7'), Hexadecimal(2)))));

    /// <summary>A whole number of at most 18 digits.</summary>
    public static TextPiece Integer { get; } = TextPiece.Of(TextPiece.Optional("-"), Natural);

    /// <summary>A number, of at most 15 digits on each side of the point.</summary>
    public static TextPiece Number { get; } = TextPiece.Of(
        TextPiece.Optional("-"), TextPiece.Any("0", TextPiece.Of(Range('1', '9'), new TextPiece.Repeat(Digit, 0, 14))), Fraction,
        TextPiece.Optional(TextPiece.Of(TextPiece.Any("e", "E"), TextPiece.Any(TextPiece.Empty, "+", "-"), new TextPiece.Repeat(Digit, 1, 2))));

    /// <summary>What may follow the whole part of a number.</summary>
    public static TextPiece Fraction => TextPiece.Optional(TextPiece.Of(".", new TextPiece.Repeat(Digit, 1, 15)));

    private static TextPiece Natural => TextPiece.Any("0", TextPiece.Of(Range('1', '9'), new TextPiece.Repeat(Digit, 0, 17)));

    /// <summary>A string.</summary>
    /// <param name="content">What stands between the quotes.</param>
    public static TextPiece Quoted(TextPiece content) => TextPiece.Of("\"", content, "\"");

    /// <summary>One code point of some, escaped where JSON asks for it.</summary>
    public static TextPiece Escaped(CodePointRanges ranges)
    {
        IEnumerable<TextPiece> escaped = Enumerable.Range(0, 128).Where(codePoint => !s_plain.Contains(codePoint) && ranges.Contains(codePoint))
            .Select(static codePoint => (TextPiece)JsonSerializer.Serialize(((char)codePoint).ToString(), s_compact)[1..^1]);
        CodePointRanges plain = ranges.And(static codePoint => codePoint >= 0x20 && codePoint is not ('"' or '\\'));
        return TextPiece.Any(escaped.Concat(plain.Ranges.Count > 0 ? [new TextPiece.Characters(plain)] : []));
    }

    /// <summary>A string as it is.</summary>
    public static TextPiece Text(string text) => JsonSerializer.Serialize(text, s_compact);

    /// <summary>A value as it is, compact.</summary>
    public static TextPiece Value(JsonElement value) => JsonSerializer.Serialize(value, s_compact);

    /// <summary>The whole numbers of a range.</summary>
    /// <param name="first">The least one.</param>
    /// <param name="last">The greatest one.</param>
    public static TextPiece Integers(long first, long last)
    {
        List<TextPiece> choices = [];
        if (first < 0) choices.Add(TextPiece.Of("-", Naturals(last < 0 ? (UInt128)(-(Int128)last) : 1, (UInt128)(-(Int128)first))));
        if (last >= 0) choices.Add(Naturals((UInt128)Math.Max(0, first), (UInt128)last));
        return TextPiece.Any(choices);
    }

    /// <summary>Numbers without an exponent whose distance from 0 is in a range of whole numbers, its end without a fraction.</summary>
    public static TextPiece Decimals(long first, long last)
    {
        TextPiece end = TextPiece.Of(last.ToString(System.Globalization.CultureInfo.InvariantCulture), TextPiece.Optional(TextPiece.Of(".", new TextPiece.Repeat("0", 1, 2))));
        return first < last ? TextPiece.Any(TextPiece.Of(Naturals((UInt128)first, (UInt128)(last - 1)), Fraction), end) : end;
    }

    private static TextPiece Naturals(UInt128 first, UInt128 last)
    {
        // As many digits at a time.
        List<TextPiece> choices = [];
        for (UInt128 power = 10; first <= last; power *= 10)
        {
            if (first >= power) continue;
            UInt128 end = UInt128.Min(last, power - 1);
            choices.Add(SameLength(first.ToString(), end.ToString()));
            first = end + 1;
        }

        return TextPiece.Any(choices);
    }

    private static TextPiece SameLength(string first, string last)
    {
        if (first.Length == 0) return TextPiece.Empty;
        int rest = first.Length - 1;
        if (first[0] == last[0]) return TextPiece.Of($"{first[0]}", SameLength(first[1..], last[1..]));
        string nines = new('9', rest), zeros = new('0', rest);
        char from = first[0], to = last[0];
        List<TextPiece> choices = [];
        if (first[1..] != zeros) choices.Add(TextPiece.Of($"{from++}", SameLength(first[1..], nines)));
        if (last[1..] != nines) choices.Add(TextPiece.Of($"{to--}", SameLength(zeros, last[1..])));
        if (from <= to) choices.Add(TextPiece.Of(Range(from, to), new TextPiece.Repeat(Digit, rest, rest)));
        return TextPiece.Any(choices);
    }

    private static TextPiece Range(char first, char last) => new TextPiece.Characters(CodePointRanges.Of((first, last)));

    private static TextPiece Hexadecimal(int count) =>
        new TextPiece.Repeat(new TextPiece.Characters(CodePointRanges.Where(static codePoint => codePoint < 128 && char.IsAsciiHexDigit((char)codePoint))), count, count);

    private static TextPiece HexadecimalBut(string others) => new TextPiece.Characters(
        CodePointRanges.Where(codePoint => codePoint < 128 && char.IsAsciiHexDigit((char)codePoint) && !others.Contains((char)codePoint)));
}
