using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>The names that <c>\p{...}</c> and <c>[:...:]</c> may hold: general categories, some scripts and the POSIX brackets.</summary>
internal static class UnicodeProperties
{
    private static readonly string[][] CategoryNames =
    [
        ["lu", "uppercaseletter"], ["ll", "lowercaseletter"], ["lt", "titlecaseletter"], ["lm", "modifierletter"], ["lo", "otherletter"],
        ["mn", "nonspacingmark"], ["mc", "spacingmark"], ["me", "enclosingmark"], ["nd", "decimalnumber"], ["nl", "letternumber"],
        ["no", "othernumber"], ["zs", "spaceseparator"], ["zl", "lineseparator"], ["zp", "paragraphseparator"], ["cc", "control"],
        ["cf", "format"], ["cs", "surrogate"], ["co", "privateuse"], ["pc", "connectorpunctuation"], ["pd", "dashpunctuation"],
        ["ps", "openpunctuation"], ["pe", "closepunctuation"], ["pi", "initialpunctuation"], ["pf", "finalpunctuation"],
        ["po", "otherpunctuation"], ["sm", "mathsymbol"], ["sc", "currencysymbol"], ["sk", "modifiersymbol"], ["so", "othersymbol"],
        ["cn", "unassigned"],
    ];

    // Scripts that patterns of published tokenizers name, as Unicode 14 has them.
    private static readonly (string Name, int[] Ranges)[] Scripts =
    [
        ("han", [0x2E80, 0x2E99, 0x2E9B, 0x2EF3, 0x2F00, 0x2FD5, 0x3005, 0x3005, 0x3007, 0x3007, 0x3021, 0x3029, 0x3038, 0x303B, 0x3400, 0x4DBF,
            0x4E00, 0x9FFF, 0xF900, 0xFA6D, 0xFA70, 0xFAD9, 0x16FE2, 0x16FE3, 0x16FF0, 0x16FF1, 0x20000, 0x2A6DF, 0x2A700, 0x2B738, 0x2B740, 0x2B81D,
            0x2B820, 0x2CEA1, 0x2CEB0, 0x2EBE0, 0x2F800, 0x2FA1D, 0x30000, 0x3134A]),
        ("hiragana", [0x3041, 0x3096, 0x309D, 0x309F, 0x1B001, 0x1B11F, 0x1B150, 0x1B152, 0x1F200, 0x1F200]),
        ("katakana", [0x30A1, 0x30FA, 0x30FD, 0x30FF, 0x31F0, 0x31FF, 0x32D0, 0x32FE, 0x3300, 0x3357, 0xFF66, 0xFF6F, 0xFF71, 0xFF9D,
            0x1AFF0, 0x1AFF3, 0x1AFF5, 0x1AFFB, 0x1AFFD, 0x1AFFE, 0x1B000, 0x1B000, 0x1B120, 0x1B122, 0x1B164, 0x1B167]),
        ("hangul", [0x1100, 0x11FF, 0x302E, 0x302F, 0x3131, 0x318E, 0x3200, 0x321E, 0x3260, 0x327E, 0xA960, 0xA97C, 0xAC00, 0xD7A3,
            0xD7B0, 0xD7C6, 0xD7CB, 0xD7FB, 0xFFA0, 0xFFBE, 0xFFC2, 0xFFC7, 0xFFCA, 0xFFCF, 0xFFD2, 0xFFD7, 0xFFDA, 0xFFDC]),
        ("thai", [0x0E01, 0x0E3A, 0x0E40, 0x0E5B]),
        ("cyrillic", [0x0400, 0x0484, 0x0487, 0x052F, 0x1C80, 0x1C88, 0x1D2B, 0x1D2B, 0x1D78, 0x1D78, 0x2DE0, 0x2DFF, 0xA640, 0xA69F, 0xFE2E, 0xFE2F]),
    ];

    private static readonly Dictionary<string, CodePointSet> Sets = Create();

    /// <summary>The set with this name; case, blanks, hyphens and underscores do not matter.</summary>
    public static bool TryGet(string name, out CodePointSet? set) =>
        Sets.TryGetValue(name.Replace("_", "").Replace("-", "").Replace(" ", "").ToLowerInvariant(), out set);

    private static Dictionary<string, CodePointSet> Create()
    {
        var sets = new Dictionary<string, CodePointSet>();
        for (int category = 0; category < CategoryNames.Length; category++)
            foreach (string name in CategoryNames[category]) sets[name] = CodePointSet.OfCategories(1 << category);
        foreach ((string letter, string name) in new[]
        {
            ("l", "letter"), ("m", "mark"), ("n", "number"), ("z", "separator"), ("c", "other"), ("p", "punctuation"), ("s", "symbol"),
        })
        {
            int mask = 0;
            for (int category = 0; category < CategoryNames.Length; category++)
                if (CategoryNames[category][0].StartsWith(letter, StringComparison.Ordinal)) mask |= 1 << category;
            sets[letter] = sets[name] = CodePointSet.OfCategories(mask);
        }

        foreach ((string name, int[] ranges) in Scripts)
            sets[name] = CodePointSet.Union([.. ranges.Chunk(2).Select(range => CodePointSet.OfRange(range[0], range[1]))]);
        sets["l&"] = sets["lc"] = sets["casedletter"] = CodePointSet.OfCategories(0b111);
        sets["combiningmark"] = sets["m"];
        sets["punct"] = sets["p"];
        sets["any"] = CodePointSet.All;
        sets["ascii"] = CodePointSet.OfRange(0, 0x7F);
        sets["alpha"] = sets["alphabetic"] = new(codePoint => CodePoints.IsWordCharacter(codePoint)
            && CodePoints.Category(codePoint) is not (UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation));
        sets["alnum"] = new(codePoint => CodePoints.IsWordCharacter(codePoint) && CodePoints.Category(codePoint) != UnicodeCategory.ConnectorPunctuation);
        sets["upper"] = sets["lu"];
        sets["lower"] = sets["ll"];
        sets["digit"] = CodePointSet.Digit;
        sets["space"] = sets["whitespace"] = CodePointSet.Space;
        sets["blank"] = new(codePoint => codePoint == '\t' || CodePoints.Category(codePoint) == UnicodeCategory.SpaceSeparator);
        sets["cntrl"] = sets["cc"];
        sets["word"] = CodePointSet.Word;
        sets["xdigit"] = CodePointSet.Hexadecimal;
        return sets;
    }
}
