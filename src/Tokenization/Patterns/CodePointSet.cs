using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>A set of code points, by a rule; the answers for ASCII are kept, those for the rest of the first plane once they are asked for.</summary>
internal sealed class CodePointSet
{
    private const int BlockBits = 8;

    private readonly Func<int, bool> _rule;
    private readonly ulong _low; // the first 64
    private readonly ulong _high; // the next 64
    private readonly ulong[]?[] _blocks = new ulong[]?[0x10000 >> BlockBits];

    /// <summary>The code points for which the rule holds.</summary>
    public CodePointSet(Func<int, bool> rule)
    {
        _rule = rule;
        for (int codePoint = 0; codePoint < 64; codePoint++)
        {
            if (rule(codePoint)) _low |= 1UL << codePoint;
            if (rule(codePoint + 64)) _high |= 1UL << codePoint;
        }
    }

    /// <summary>White space.</summary>
    public static CodePointSet Space { get; } = new(CodePoints.IsWhiteSpace);

    /// <summary>Decimal digits.</summary>
    public static CodePointSet Digit { get; } = OfCategories(1 << (int)UnicodeCategory.DecimalDigitNumber);

    /// <summary>Numbers of any kind.</summary>
    public static CodePointSet Numeric { get; } = new(CodePoints.IsNumeric);

    /// <summary>Punctuation, ASCII's symbols among it.</summary>
    public static CodePointSet Punctuation { get; } = new(codePoint =>
        codePoint < 128 ? char.IsPunctuation((char)codePoint) || char.IsSymbol((char)codePoint) : CodePoints.Category(codePoint)
            is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation);

    /// <summary>Word characters.</summary>
    public static CodePointSet Word { get; } = new(CodePoints.IsWordCharacter);

    /// <summary>Hexadecimal digits.</summary>
    public static CodePointSet Hexadecimal { get; } = new(codePoint => codePoint < 128 && char.IsAsciiHexDigit((char)codePoint));

    /// <summary>Everything but the line feed.</summary>
    public static CodePointSet NotNewline { get; } = new(codePoint => codePoint != '\n');

    /// <summary>Everything.</summary>
    public static CodePointSet All { get; } = new(_ => true);

    /// <summary>The code points of some general categories, one bit each.</summary>
    public static CodePointSet OfCategories(int categories) => new(codePoint => ((categories >> (int)CodePoints.Category(codePoint)) & 1) != 0);

    /// <summary>A range, both ends included.</summary>
    public static CodePointSet OfRange(int first, int last) => new(codePoint => codePoint >= first && codePoint <= last);

    /// <summary>What any of the sets contains.</summary>
    public static CodePointSet Union(IReadOnlyList<CodePointSet> sets) => sets.Count == 1 ? sets[0] : new(codePoint =>
    {
        foreach (CodePointSet set in sets)
            if (set.Contains(codePoint)) return true;
        return false;
    });

    /// <summary>Whether a code point is in the set.</summary>
    public bool Contains(int codePoint)
    {
        if (codePoint < 64) return ((_low >> codePoint) & 1) != 0;
        if (codePoint < 128) return ((_high >> codePoint) & 1) != 0; // a shift counts modulo 64
        return codePoint < 0x10000 ? ((Block(codePoint)[(codePoint & 0xFF) >> 6] >> codePoint) & 1) != 0 : _rule(codePoint);
    }

    /// <summary>What this set and another one both contain.</summary>
    public CodePointSet Intersect(CodePointSet other) => new(codePoint => Contains(codePoint) && other.Contains(codePoint));

    /// <summary>What this set does not contain.</summary>
    public CodePointSet Negate() => new(codePoint => !Contains(codePoint));

    /// <summary>The set with everything that differs from one of its members by case only.</summary>
    public CodePointSet IgnoreCase() => new(codePoint => CaseFolding.Equivalents(codePoint).Any(Contains));

    private ulong[] Block(int codePoint)
    {
        int index = codePoint >> BlockBits;
        if (Volatile.Read(ref _blocks[index]) is { } known) return known;
        var block = new ulong[4];
        for (int member = 0; member < 256; member++)
            if (_rule((index << BlockBits) + member)) block[member >> 6] |= 1UL << member;
        Volatile.Write(ref _blocks[index], block);
        return block;
    }
}
