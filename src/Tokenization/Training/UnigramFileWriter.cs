using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>Writes the files of a Unigram tokenizer in the layout of Persimmon's.</summary>
internal static class UnigramFileWriter
{
    private static readonly AddedToken[] Special =
        [.. new[] { UnigramTrainer.Unknown, UnigramTrainer.Begin, UnigramTrainer.End }.Select((content, id) => new AddedToken(id, content, false, false, false, false, true))];

    /// <summary>Writes tokenizer.json.</summary>
    public static byte[] WriteTokenizer(IReadOnlyList<(string Piece, double Score)> pieces)
    {
        var components = new TokenizerComponents
        {
            Normalizer = TokenizerComponents.Sequence(
                "normalizers", new JsonObject { ["type"] = "Prepend", ["prepend"] = "\u2581" }, TokenizerComponents.Replace(" ", "\u2581")),
            Decoder = TokenizerComponents.Sequence(
                "decoders",
                TokenizerComponents.Replace("\u2581", " "),
                new JsonObject { ["type"] = "ByteFallback" },
                new JsonObject { ["type"] = "Fuse" },
                new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 }),
        };
        IEnumerable<(string, double)> vocabulary = Special.Select(token => (token.Content, 0.0))
            .Concat(Enumerable.Range(0, 256).Select(value => (FormattableString.Invariant($"<0x{value:X2}>"), 0.0)))
            .Concat(pieces);
        return TokenizerJsonWriter.Write(components, Special, writer => TokenizerJsonWriter.WriteUnigram(writer, unknownId: 0, byteFallback: true, vocabulary));
    }

    /// <summary>Writes tokenizer_config.json.</summary>
    public static byte[] WriteConfiguration(int modelMaxLength) => TokenizerJsonWriter.WriteObject(writer =>
    {
        TokenizerJsonWriter.WriteAddedTokensDecoder(writer, Special);
        writer.WriteString("bos_token", UnigramTrainer.Begin);
        writer.WriteBoolean("clean_up_tokenization_spaces", false);
        writer.WriteString("eos_token", UnigramTrainer.End);
        writer.WriteNumber("model_max_length", modelMaxLength);
        writer.WriteString("pad_token", UnigramTrainer.End);
        writer.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        writer.WriteString("unk_token", UnigramTrainer.Unknown);
    });
}
