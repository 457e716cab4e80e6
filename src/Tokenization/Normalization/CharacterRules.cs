using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>The rules of the normalizers that drop and map single code points.</summary>
internal static class CharacterRules
{
    private const int Drop = -1;

    /// <summary><c>StripAccents</c>: no combining marks of any kind.</summary>
    public static int StripAccents(int codePoint) => codePoint >= 0x300 && CodePoints.Category(codePoint)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark ? Drop : codePoint;

    /// <summary>The accents that <c>BertNormalizer</c> strips: non-spacing marks.</summary>
    public static int StripNonSpacingMarks(int codePoint) =>
        codePoint >= 0x300 && CodePoints.Category(codePoint) == UnicodeCategory.NonSpacingMark ? Drop : codePoint;

    /// <summary>The cleaning of <c>BertNormalizer</c>: no controls, every kind of white space a space.</summary>
    public static int CleanText(int codePoint)
    {
        if (codePoint is '\t' or '\n' or '\r') return ' ';
        if (codePoint is 0 or 0xFFFD) return Drop;
        if (CodePoints.Category(codePoint) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse) return Drop;
        return CodePoints.IsWhiteSpace(codePoint) ? ' ' : codePoint;
    }

    /// <summary><c>Nmt</c>: the cleaning of SentencePiece's nmt rules.</summary>
    public static int Nmt(int codePoint) => codePoint switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => Drop,
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => codePoint,
    };
}
