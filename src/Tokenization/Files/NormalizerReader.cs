namespace MLComponents.Tokenization;

/// <summary>Builds the component that <c>normalizer</c> describes. A new one is a class and a line here.</summary>
internal static class NormalizerReader
{
    private static readonly string[] Supported =
    [
        "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Replace", "Prepend", "Strip", "StripAccents", "Precompiled", "BertNormalizer", "Nmt",
        "ByteLevel", "Sequence",
    ];

    /// <summary>Reads the component; null where there is none.</summary>
    public static TextNormalizer? Read(JsonSection section, int depth = 0) => section.IsNull ? null : Component.Type(section, depth) switch
    {
        "NFC" => UnicodeNormalizer.Get(composes: true, compatible: false),
        "NFD" => UnicodeNormalizer.Get(composes: false, compatible: false),
        "NFKC" => UnicodeNormalizer.Get(composes: true, compatible: true),
        "NFKD" => UnicodeNormalizer.Get(composes: false, compatible: true),
        "Lowercase" => new LowercaseNormalizer(),
        "Replace" => new ReplaceNormalizer(Component.Pattern(section["pattern"]), section["content"].String()),
        "Prepend" => new PrependNormalizer(section["prepend"].String()),
        "Strip" => new StripNormalizer(section["strip_left"].Boolean(true), section["strip_right"].Boolean(true)),
        "StripAccents" => new FilterNormalizer(CharacterRules.StripAccents),
        "Precompiled" => ReadPrecompiled(section["precompiled_charsmap"]),
        "BertNormalizer" => ReadBert(section),
        "Nmt" => new FilterNormalizer(CharacterRules.Nmt),
        "ByteLevel" => new ByteLevelNormalizer(),
        "Sequence" => new NormalizerSequence(Component.Steps(section, "normalizers", item => Read(item, depth + 1))),
        _ => throw section.UnsupportedType(Supported),
    };

    private static TextNormalizer ReadPrecompiled(JsonSection section)
    {
        if (section.IsNull) return new NormalizerSequence([]);
        byte[] map = section.Base64();
        return map.Length == 0 ? new NormalizerSequence([]) : Component.Naming(section, () => new PrecompiledNormalizer(map));
    }

    private static NormalizerSequence ReadBert(JsonSection section)
    {
        var steps = new List<TextNormalizer>();
        bool lowercase = section["lowercase"].Boolean(true);
        if (section["clean_text"].Boolean(true)) steps.Add(new FilterNormalizer(CharacterRules.CleanText));
        if (section["handle_chinese_chars"].Boolean(true)) steps.Add(new ChineseCharacterNormalizer());
        if (section["strip_accents"].Boolean(lowercase))
        {
            steps.Add(UnicodeNormalizer.Get(composes: false, compatible: false));
            steps.Add(new FilterNormalizer(CharacterRules.StripNonSpacingMarks));
        }

        if (lowercase) steps.Add(new LowercaseNormalizer());
        return new NormalizerSequence(steps);
    }
}
