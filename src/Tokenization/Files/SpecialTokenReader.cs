using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>Finds out which tokens pad, begin and end texts.</summary>
internal static class SpecialTokenReader
{
    // What published tokenizers call them, for a tokenizer.json that comes alone.
    private static readonly Dictionary<string, string[]> UsualNames = new()
    {
        ["pad_token"] = ["<pad>", "[PAD]", "<|padding|>", "<|endoftext|>"],
        ["bos_token"] = ["<s>", "<bos>", "<|begin_of_text|>"],
        ["eos_token"] = ["</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"],
    };

    /// <summary>
    /// The token with a role (<c>pad_token</c>, <c>bos_token</c>, <c>eos_token</c>): as tokenizer_config.json says, else as
    /// special_tokens_map.json says; where there is neither file, a special added token with one of the usual names.
    /// </summary>
    /// <returns>Its text, or null where there is none.</returns>
    public static string? Find(IReadOnlyDictionary<string, byte[]> files, string role, AddedVocabulary added)
    {
        bool described = false;
        foreach (string file in new[] { TokenizerFiles.Configuration, TokenizerFiles.SpecialTokens })
        {
            if (!files.TryGetValue(file, out byte[]? json)) continue;
            described = true;
            using JsonDocument document = Parse(file, json);
            var root = new JsonSection(file, "", document.RootElement);
            JsonSection section = root.IsObject ? root[role] : throw root.Wrong("an object");
            if (!section.IsNull) return section.IsObject ? section["content"].String() : section.String();
        }

        return described ? null : UsualNames[role].FirstOrDefault(name => added.Tokens.Any(token => token.Special && token.Content == name));
    }

    private static JsonDocument Parse(string file, byte[] json)
    {
        try
        {
            return JsonDocument.Parse(json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsMemory(3) : json);
        }
        catch (JsonException problem)
        {
            throw new FormatException($"{file} is not valid JSON: {problem.Message}", problem);
        }
    }
}
