namespace MLComponents.Tokenization;

/// <summary>Writes the files of a tokenizer in the layout of Qwen2's.</summary>
internal static class Qwen2FileWriter
{
    /// <summary>Writes tokenizer.json; special tokens follow the given ones.</summary>
    public static byte[] WriteTokenizer(IReadOnlyList<string> tokens, IReadOnlyList<(string Left, string Right)> merges) => TokenizerJsonWriter.Write(
        VocabularyMergesSource.Qwen2(),
        SpecialTokens(tokens.Count),
        writer => TokenizerJsonWriter.WriteBpe(writer, new BpeSettings(), tokens.Select((token, id) => (token, id)), merges));

    /// <summary>Writes tokenizer_config.json.</summary>
    public static byte[] WriteConfiguration(int firstSpecialId, int modelMaxLength) => TokenizerJsonWriter.WriteObject(writer =>
    {
        writer.WriteBoolean("add_bos_token", false);
        writer.WriteBoolean("add_prefix_space", false);
        TokenizerJsonWriter.WriteAddedTokensDecoder(writer, SpecialTokens(firstSpecialId));
        writer.WriteStartArray("additional_special_tokens");
        foreach (string token in ByteLevelBpeTrainer.SpecialTokens.Skip(1)) writer.WriteStringValue(token);
        writer.WriteEndArray();
        writer.WriteNull("bos_token");
        writer.WriteBoolean("clean_up_tokenization_spaces", false);
        writer.WriteString("eos_token", ByteLevelBpeTrainer.EndOfText);
        writer.WriteString("errors", "replace");
        writer.WriteNumber("model_max_length", modelMaxLength);
        writer.WriteString("pad_token", ByteLevelBpeTrainer.EndOfText);
        writer.WriteBoolean("split_special_tokens", false);
        writer.WriteString("tokenizer_class", "Qwen2Tokenizer");
        writer.WriteNull("unk_token");
    });

    private static IEnumerable<AddedToken> SpecialTokens(int firstId) => ByteLevelBpeTrainer.SpecialTokens.Select((content, index) =>
        new AddedToken(firstId + index, content, false, false, false, Normalized: false, Special: true));
}
