namespace MLComponents.Tokenization;

/// <summary>Builds the component that <c>pre_tokenizer</c> describes. A new one is a class and a line here.</summary>
internal static class PreTokenizerReader
{
    private static readonly string[] Supported =
    [
        "ByteLevel", "Split", "Digits", "Metaspace", "Whitespace", "WhitespaceSplit", "Punctuation", "BertPreTokenizer",
        "CharDelimiterSplit", "FixedLength", "Sequence",
    ];

    /// <summary>Reads the component; null where there is none.</summary>
    public static PreTokenizerStep? Read(JsonSection section, int depth = 0) => section.IsNull ? null : Component.Type(section, depth) switch
    {
        "ByteLevel" => new ByteLevelStep(section["add_prefix_space"].Boolean(true), section["use_regex"].Boolean(true)),
        "Split" => new SplitStep(Component.Pattern(section["pattern"]), ReadBehavior(section["behavior"]), section["invert"].Boolean(false)),
        "Digits" => new SplitStep(
            new CharacterPattern(CodePointSet.Numeric),
            section["individual_digits"].Boolean(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
        "Metaspace" => new MetaspaceStep(
            section["replacement"].IsNull ? '\u2581' : section["replacement"].CodePoint(), Component.Prepend(section), section["split"].Boolean(true)),
        "Whitespace" => new SplitStep(new WordPattern(), SplitBehavior.Removed, invert: true),
        "WhitespaceSplit" => new SplitStep(new CharacterPattern(CodePointSet.Space), SplitBehavior.Removed),
        "Punctuation" => new SplitStep(
            new CharacterPattern(CodePointSet.Punctuation),
            section["behavior"].IsNull ? SplitBehavior.Isolated : ReadBehavior(section["behavior"])),
        "BertPreTokenizer" => new PreTokenizerSequence(
        [
            new SplitStep(new CharacterPattern(CodePointSet.Space), SplitBehavior.Removed),
            new SplitStep(new CharacterPattern(CodePointSet.Punctuation), SplitBehavior.Isolated),
        ]),
        "CharDelimiterSplit" => new SplitStep(
            new LiteralPattern(char.ConvertFromUtf32(section["delimiter"].CodePoint())), SplitBehavior.Removed),
        "FixedLength" => new FixedLengthStep(section["length"].Count(5) is > 0 and var length ? length : throw section["length"].Wrong("at least 1")),
        "Sequence" => new PreTokenizerSequence(Component.Steps(section, "pretokenizers", item => Read(item, depth + 1))),
        _ => throw section.UnsupportedType(Supported),
    };

    private static SplitBehavior ReadBehavior(JsonSection section) => section.String() switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        _ => throw section.Wrong("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous"),
    };
}
