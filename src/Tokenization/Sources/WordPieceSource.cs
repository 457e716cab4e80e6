using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>Makes a tokenizer.json of vocab.txt, the file of BERT's tokenizers: a token per line, by id.</summary>
internal static class WordPieceSource
{
    /// <summary>Makes the file.</summary>
    /// <exception cref="FormatException">Files are broken or contradict each other.</exception>
    public static byte[] Make(IReadOnlyDictionary<string, byte[]> files)
    {
        JsonSection? settings = new TokenizerConfiguration(files).Settings;
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        using var reader = new StreamReader(new MemoryStream(files[TokenizerFiles.WordPieces]));
        for (int id = 0; reader.ReadLine() is { } line; id++) ids[line] = id;
        string Role(string name, string usual) => settings?[name] is { IsNull: false } role ? role.IsObject ? role["content"].String() : role.String() : usual;
        string[] special = [Role("unk_token", "[UNK]"), Role("cls_token", "[CLS]"), Role("sep_token", "[SEP]"), Role("pad_token", "[PAD]"), Role("mask_token", "[MASK]")];
        foreach (string needed in special.Take(3))
            if (!ids.ContainsKey(needed)) throw new FormatException($"{TokenizerFiles.WordPieces} has no token '{needed}'.");
        var added = new AddedTokenCollector(
            files,
            text => ids.TryGetValue(text, out int id) ? id : null,
            ids.Values.Max() + 1,
            special.Where(ids.ContainsKey).Distinct().Select(text => new AddedToken(ids[text], text, false, false, false, false, true)));
        var components = new TokenizerComponents
        {
            Normalizer = new JsonObject
            {
                ["type"] = "BertNormalizer",
                ["clean_text"] = true,
                ["handle_chinese_chars"] = settings?["tokenize_chinese_chars"].Boolean(true) ?? true,
                ["strip_accents"] = settings?["strip_accents"] is { IsNull: false } strips ? strips.Boolean(false) : null,
                ["lowercase"] = settings?["do_lower_case"].Boolean(true) ?? true,
            },
            PreTokenizer = new JsonObject { ["type"] = "BertPreTokenizer" },
            PostProcessor = new JsonObject
            {
                ["type"] = "BertProcessing", ["sep"] = new JsonArray(special[2], ids[special[2]]), ["cls"] = new JsonArray(special[1], ids[special[1]]),
            },
            Decoder = new JsonObject { ["type"] = "WordPiece", ["prefix"] = "##", ["cleanup"] = true },
        };
        return TokenizerJsonWriter.Write(components, added.Tokens, writer =>
        {
            writer.WriteString("type", "WordPiece");
            writer.WriteString("unk_token", special[0]);
            writer.WriteString("continuing_subword_prefix", "##");
            writer.WriteNumber("max_input_chars_per_word", 100);
            TokenizerJsonWriter.WriteVocabulary(writer, ids.OrderBy(entry => entry.Value).Select(entry => (entry.Key, entry.Value)));
        });
    }
}
