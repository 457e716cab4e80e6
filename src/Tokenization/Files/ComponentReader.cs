namespace MLComponents.Tokenization;

/// <summary>
/// Builds the components that a tokenizer.json describes. A new component is one class and one line here; a type without a line is
/// named in the error together with those that have one.
/// </summary>
internal static class ComponentReader
{
    private const int MaxNesting = 16;

    /// <summary>Reads <c>normalizer</c>; null where there is none.</summary>
    public static TextNormalizer? ReadNormalizer(JsonSection section, int depth = 0) => section.IsNull ? null : Type(section, depth) switch
    {
        "NFC" => new NfcNormalizer(),
        "Lowercase" => new LowercaseNormalizer(),
        "Sequence" => new NormalizerSequence([.. section["normalizers"].Items().Select(item => Present(ReadNormalizer(item, depth + 1), item))]),
        _ => throw section.UnsupportedType("NFC", "Lowercase", "Sequence"),
    };

    /// <summary>Reads <c>pre_tokenizer</c>; null where there is none.</summary>
    public static PreTokenizerStep? ReadPreTokenizer(JsonSection section, int depth = 0) => section.IsNull ? null : Type(section, depth) switch
    {
        "ByteLevel" => new ByteLevelStep(section["add_prefix_space"].Boolean(true), section["use_regex"].Boolean(true)),
        "Split" => new SplitStep(ReadPattern(section["pattern"]), ReadBehavior(section["behavior"]), section["invert"].Boolean(false)),
        "Digits" => new SplitStep(
            new NumericPattern(),
            section["individual_digits"].Boolean(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous,
            invert: false),
        "Sequence" => ReadPreTokenizers(section, depth),
        _ => throw section.UnsupportedType("ByteLevel", "Split", "Digits", "Sequence"),
    };

    /// <summary>Reads <c>post_processor</c>; null where there is none.</summary>
    public static PostProcessor? ReadPostProcessor(JsonSection section, int depth = 0) => section.IsNull ? null : Type(section, depth) switch
    {
        "ByteLevel" => section["trim_offsets"].Boolean(true)
            ? new ByteLevelPostProcessor(section["add_prefix_space"].Boolean(true))
            : new PostProcessorSequence([]),
        "TemplateProcessing" => TemplateReader.Read(section),
        "Sequence" => new PostProcessorSequence([.. section["processors"].Items().Select(item => Present(ReadPostProcessor(item, depth + 1), item))]),
        _ => throw section.UnsupportedType("ByteLevel", "TemplateProcessing", "Sequence"),
    };

    /// <summary>Reads <c>decoder</c>.</summary>
    public static TokenDecoder ReadDecoder(JsonSection section) => section.IsNull ? new JoiningDecoder() : Type(section, 0) switch
    {
        "ByteLevel" => new ByteLevelDecoder(),
        _ => throw section.UnsupportedType("ByteLevel"),
    };

    /// <summary>Reads <c>model</c>.</summary>
    /// <param name="sections">The file.</param>
    /// <param name="yieldsBytes">Whether the pre-tokenizer hands bytes to the model.</param>
    public static TokenModel ReadModel(TokenizerSections sections, bool yieldsBytes)
    {
        JsonSection type = sections.Section("model.type");
        if (!type.IsNull && type.String() != "BPE") throw type.Unsupported($"'{type.String()}'", "BPE");
        if (type.IsNull && !(sections.Contains("model.vocab") && sections.Contains("model.merges")))
            throw type.Unsupported("absent, and the model is no BPE model (vocab and merges)", "BPE");
        foreach (string name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            JsonSection affix = sections.Section("model." + name);
            if (!affix.IsNull && affix.String().Length > 0) throw affix.Unsupported($"'{affix.String()}'", "null or an empty text");
        }

        JsonSection dropout = sections.Section("model.dropout");
        if (!dropout.IsNull && dropout.Number() != 0) throw dropout.Unsupported("not zero", "null or 0 (tokenization is deterministic)");
        JsonSection fallback = sections.Section("model.byte_fallback");
        if (fallback.Boolean(false)) throw fallback.Unsupported("true (a SentencePiece-like BPE)", "false, for byte-level BPE");
        if (!yieldsBytes)
            throw sections.Section("pre_tokenizer").Unsupported("without ByteLevel, so that the BPE model works on characters", "BPE behind a ByteLevel pre-tokenizer");

        Vocabulary vocabulary = BpeReader.ReadVocabulary(sections);
        var model = new ByteLevelBpe(vocabulary, BpeReader.ReadMerges(sections, vocabulary), sections.Section("model.ignore_merges").Boolean(false));
        JsonSection unknown = sections.Section("model.unk_token");
        if (!unknown.IsNull && model.MissingBytes.Any())
            throw unknown.Unsupported($"'{unknown.String()}' in a vocabulary that lacks the byte 0x{model.MissingBytes.First():x2}", "null, or a vocabulary with all 256 bytes");
        return model;
    }

    private static string Type(JsonSection section, int depth) => depth <= MaxNesting
        ? section["type"].String()
        : throw section.Unsupported("nested too deeply", $"{MaxNesting} levels");

    private static T Present<T>(T? component, JsonSection section)
        where T : class => component ?? throw section.Wrong("a component");

    private static PreTokenizerSequence ReadPreTokenizers(JsonSection section, int depth)
    {
        IReadOnlyList<JsonSection> items = section["pretokenizers"].Items();
        var steps = new List<PreTokenizerStep>();
        foreach (JsonSection item in items)
        {
            PreTokenizerStep step = Present(ReadPreTokenizer(item, depth + 1), item);
            if (step.YieldsBytes && steps.Count < items.Count - 1)
                throw item.Unsupported("a ByteLevel that is not the last of its Sequence", "ByteLevel as the last step");
            steps.Add(step);
        }

        return new PreTokenizerSequence(steps);
    }

    private static TextPattern ReadPattern(JsonSection section)
    {
        if (section.IsString) return new LiteralPattern(section.String());
        if (!section["String"].IsNull) return new LiteralPattern(section["String"].String());
        if (section["Regex"].IsNull) throw section.Wrong("{\"String\": ...} or {\"Regex\": ...}");
        string pattern = section["Regex"].String();
        try
        {
            return TextPattern.FromRegex(pattern);
        }
        catch (FormatException problem)
        {
            throw new FormatException($"{section.File}: {section.Path}: {problem.Message}", problem);
        }
        catch (NotSupportedException problem)
        {
            throw new NotSupportedException($"{section.File}: {section.Path}: {problem.Message}", problem);
        }
    }

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
