using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>What tokenizer_config.json and special_tokens_map.json say of a tokenizer.</summary>
internal sealed class TokenizerConfiguration
{
    // transformers writes 10^30 for no limit.
    private const double NoLimit = int.MaxValue;

    // What published tokenizers call them, for a tokenizer.json that comes alone.
    private static readonly Dictionary<string, string[]> UsualNames = new()
    {
        ["pad_token"] = ["<pad>", "[PAD]", "<|padding|>", "<|endoftext|>"],
        ["bos_token"] = ["<s>", "<bos>", "<|begin_of_text|>"],
        ["eos_token"] = ["</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"],
        ["unk_token"] = ["<unk>", "[UNK]"],
    };

    private static readonly string[] Roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly List<JsonSection> _files = [];

    /// <summary>Reads what there is of the files.</summary>
    /// <exception cref="FormatException">A file is no JSON object.</exception>
    public TokenizerConfiguration(IReadOnlyDictionary<string, byte[]> files)
    {
        foreach (string file in new[] { TokenizerFiles.Configuration, TokenizerFiles.SpecialTokens })
        {
            if (!files.TryGetValue(file, out byte[]? json)) continue;
            JsonSection root = Parse(file, json);
            if (!root.IsObject) throw root.Wrong("an object");
            _files.Add(root);
            if (file == TokenizerFiles.Configuration) Settings = root;
        }
    }

    /// <summary>The root of tokenizer_config.json; null where it is absent.</summary>
    public JsonSection? Settings { get; }

    /// <summary>The most tokens the model reads; null where the file says nothing, or that there is no limit.</summary>
    public int? ModelMaxLength
    {
        get
        {
            if (Settings?["model_max_length"] is not { IsNull: false } length) return null;
            double value = length.Number();
            if (value < 1) throw length.Wrong("a number of 1 or more");
            return value >= NoLimit ? null : (int)value;
        }
    }

    /// <summary>Whether decoded text is cleaned up.</summary>
    public bool CleanUpTokenizationSpaces => Settings?["clean_up_tokenization_spaces"].Boolean(false) ?? false;

    /// <summary>Reads a file as JSON.</summary>
    public static JsonSection Parse(string file, byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.AsSpan().StartsWith("\uFEFF"u8) ? json.AsMemory(3) : json);
            return new JsonSection(file, "", document.RootElement.Clone());
        }
        catch (JsonException problem)
        {
            throw new FormatException($"{file} is not valid JSON: {problem.Message}", problem);
        }
    }

    /// <summary>The side that a setting (<c>padding_side</c>, <c>truncation_side</c>) names; right where there is none.</summary>
    public SequenceSide Side(string setting)
    {
        if (Settings?[setting] is not { IsNull: false } side) return SequenceSide.Right;
        return side.String() switch { "right" => SequenceSide.Right, "left" => SequenceSide.Left, _ => throw side.Wrong("left or right") };
    }

    /// <summary>
    /// The token with a role (<c>pad_token</c>, <c>bos_token</c>, <c>eos_token</c>, <c>unk_token</c>): as tokenizer_config.json says,
    /// else as special_tokens_map.json says; where there is neither file, a special added token with one of the usual names.
    /// </summary>
    /// <returns>Its text, or null where there is none.</returns>
    public string? Role(string role, AddedVocabulary added)
    {
        foreach (JsonSection file in _files)
            if (file[role] is { IsNull: false } section) return section.IsObject ? section["content"].String() : section.String();
        return _files.Count > 0 || !UsualNames.TryGetValue(role, out string[]? names) ? null : names.FirstOrDefault(name => added.Tokens.Any(token => token.Special && token.Content == name));
    }

    /// <summary>The tokens that have roles.</summary>
    public IEnumerable<KeyValuePair<string, string>> SpecialTokens(AddedVocabulary added)
    {
        foreach (string role in Roles)
            if (Role(role, added) is { } token) yield return KeyValuePair.Create(role, token);
    }

    /// <summary>The chat templates by name: one text, or a list of texts with names.</summary>
    public IEnumerable<KeyValuePair<string, string>> ChatTemplates
    {
        get
        {
            if (Settings?["chat_template"] is not { IsNull: false } templates) yield break;
            if (templates.IsString)
            {
                yield return KeyValuePair.Create(ChatTemplateSource.Default, templates.String());
            }
            else if (templates.IsObject)
            {
                foreach ((string name, JsonSection text) in templates.Properties()) yield return KeyValuePair.Create(name, text.String());
            }
            else
            {
                foreach (JsonSection template in templates.Items()) yield return KeyValuePair.Create(template["name"].String(), template["template"].String());
            }
        }
    }
}
