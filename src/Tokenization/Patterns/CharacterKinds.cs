using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>The four kinds of code points that the published patterns tell apart.</summary>
internal static class CharacterKinds
{
    /// <summary>Neither letter, number nor white space.</summary>
    public const byte Other = 0;

    /// <summary><c>\p{L}</c>.</summary>
    public const byte Letter = 1;

    /// <summary><c>\p{N}</c>.</summary>
    public const byte Number = 2;

    /// <summary><c>\s</c>.</summary>
    public const byte Space = 3;

    private static readonly byte[] Table = CreateTable();

    /// <summary>The kind of the code point at <paramref name="index"/>, and its length in UTF-16 units.</summary>
    public static byte At(ReadOnlySpan<char> text, int index, out int length)
    {
        char unit = text[index];
        length = 1;
        if (!char.IsHighSurrogate(unit) || index + 1 == text.Length) return Table[unit];
        return Of(CodePoints.At(text, index, out length));
    }

    private static byte Of(int codePoint) => CodePoints.Category(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
        _ => CodePoints.IsWhiteSpace(codePoint) ? Space : Other,
    };

    private static byte[] CreateTable()
    {
        var table = new byte[0x10000];
        for (int unit = 0; unit < table.Length; unit++) table[unit] = char.IsSurrogate((char)unit) ? Other : Of(unit);
        return table;
    }
}
