namespace MLComponents.Tokenization;

/// <summary>Builds the component that <c>model</c> describes.</summary>
internal static class ModelReader
{
    /// <summary>Reads the model. A file without <c>model.type</c> is taken for what its parts look like.</summary>
    /// <param name="sections">The file.</param>
    /// <param name="takesBytes">Whether the pre-tokenizer can hand over bytes instead of their alphabet.</param>
    public static TokenModel Read(TokenizerSections sections, bool takesBytes)
    {
        JsonSection type = sections.Section("model.type");
        return (type.IsNull ? Guess(sections) : type.String()) switch
        {
            "BPE" => ReadBpe(sections, takesBytes),
            "Unigram" => ReadUnigram(sections),
            "WordPiece" => new WordPieceModel(
                VocabularyReader.Read(sections),
                sections.Section("model.unk_token").String("[UNK]"),
                sections.Section("model.continuing_subword_prefix").String("##"),
                sections.Section("model.max_input_chars_per_word").Count(100)),
            "WordLevel" => new WordLevelModel(VocabularyReader.Read(sections), sections.Section("model.unk_token").String("<unk>")),
            string other => throw type.Unsupported($"'{other}'", "BPE, Unigram, WordPiece, WordLevel"),
        };
    }

    private static string Guess(TokenizerSections sections)
    {
        if (sections.Contains("model.merges")) return "BPE";
        if (!sections.Contains("model.vocab")) throw sections.Section("model.type").Wrong("BPE, Unigram, WordPiece or WordLevel");
        if (sections.Bytes("model.vocab")[0] == (byte)'[') return "Unigram";
        return sections.Contains("model.max_input_chars_per_word") ? "WordPiece" : "WordLevel";
    }

    private static TokenModel ReadBpe(TokenizerSections sections, bool takesBytes)
    {
        JsonSection dropout = sections.Section("model.dropout");
        if (!dropout.IsNull && dropout.Number() != 0) throw dropout.Unsupported("not zero", "null or 0 (tokenization is deterministic)");
        var settings = new BpeSettings
        {
            UnknownToken = sections.Section("model.unk_token") is { IsNull: false } unknown ? unknown.String() : null,
            ContinuingSubwordPrefix = sections.Section("model.continuing_subword_prefix").String(""),
            EndOfWordSuffix = sections.Section("model.end_of_word_suffix").String(""),
            FuseUnknown = sections.Section("model.fuse_unk").Boolean(false),
            ByteFallback = sections.Section("model.byte_fallback").Boolean(false),
            IgnoreMerges = sections.Section("model.ignore_merges").Boolean(false),
        };
        Vocabulary vocabulary = VocabularyReader.Read(sections);
        MergeTable merges = MergeReader.Read(sections, vocabulary, settings.ContinuingSubwordPrefix);
        if (takesBytes && !settings.ByteFallback && settings.ContinuingSubwordPrefix.Length + settings.EndOfWordSuffix.Length == 0)
        {
            var model = new ByteLevelBpe(vocabulary, merges, settings.IgnoreMerges);
            if (settings.UnknownToken is null || !model.MissingBytes.Any()) return model;
        }

        return new CharacterBpe(vocabulary, merges, settings);
    }

    private static UnigramModel ReadUnigram(TokenizerSections sections)
    {
        foreach (string name in new[] { "model.alpha", "model.nbest_size" })
        {
            JsonSection sampling = sections.Section(name);
            if (!sampling.IsNull && sampling.Number() != 0) throw sampling.Unsupported("not zero", "null (tokenization is deterministic)");
        }

        Vocabulary vocabulary = VocabularyReader.ReadScored(sections, out double[] scores);
        JsonSection unknown = sections.Section("model.unk_id");
        int unknownId = unknown.IsNull ? -1 : unknown.Id();
        if (unknownId >= scores.Length) throw unknown.Wrong($"an id of model.vocab, which has {scores.Length} tokens");
        return new UnigramModel(vocabulary, scores, unknownId, sections.Section("model.byte_fallback").Boolean(false));
    }
}
