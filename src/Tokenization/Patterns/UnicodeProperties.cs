using System.Globalization;

namespace MLComponents.Tokenization;

/// <summary>The names that <c>\p{...}</c> and <c>[:...:]</c> may hold: general categories and the POSIX brackets.</summary>
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
