using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>
/// Makes a tokenizer.json of vocab.json and merges.txt, the files of byte-level BPE tokenizers. The class that tokenizer_config.json
/// names decides between the forms of GPT-2, Qwen2 and RoBERTa; without one it is GPT-2's.
/// </summary>
internal static class VocabularyMergesSource
{
    /// <summary>Makes the file.</summary>
    /// <exception cref="FormatException">Files are broken or contradict each other.</exception>
    public static byte[] Make(IReadOnlyDictionary<string, byte[]> files)
    {
        JsonSection? settings = new TokenizerConfiguration(files).Settings;
        JsonSection root = TokenizerConfiguration.Parse(TokenizerFiles.Vocabulary, files[TokenizerFiles.Vocabulary]);
        var vocabulary = new List<(string Token, int Id)>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((string token, JsonSection id) in root.Properties())
        {
            vocabulary.Add((token, id.Id()));
            if (!ids.TryAdd(token, id.Id())) throw new FormatException($"{root.File}: the token '{token}' is listed twice.");
        }

        int size = vocabulary.Count == 0 ? 0 : vocabulary.Max(entry => entry.Id) + 1;
        var added = new AddedTokenCollector(files, text => ids.TryGetValue(text, out int id) ? id : null, size, []);
        string className = settings?["tokenizer_class"].String("") ?? "";
        TokenizerComponents components = className.StartsWith("Qwen2", StringComparison.Ordinal)
            ? Qwen2()
            : ByteLevel(settings, className, added.Tokens);
        return TokenizerJsonWriter.Write(components, added.Tokens, writer => TokenizerJsonWriter.WriteBpe(writer, new BpeSettings(), vocabulary, Merges(files[TokenizerFiles.Merges])));
    }

    /// <summary>The form of Qwen2's tokenizer.</summary>
    public static TokenizerComponents Qwen2() => new()
    {
        Normalizer = new JsonObject { ["type"] = "NFC" },
        PreTokenizer = TokenizerComponents.Sequence(
            "pretokenizers",
            new JsonObject
            {
                ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = PublishedPattern.Qwen2 }, ["behavior"] = "Isolated", ["invert"] = false,
            },
            TokenizerComponents.ByteLevel(false, false, false)),
        PostProcessor = TokenizerComponents.ByteLevel(false, false, false),
        Decoder = TokenizerComponents.ByteLevel(false, false, false),
    };

    private static TokenizerComponents ByteLevel(JsonSection? settings, string className, IReadOnlyCollection<AddedToken> added)
    {
        bool prefix = settings?["add_prefix_space"].Boolean(false) ?? false;
        return new TokenizerComponents
        {
            PreTokenizer = TokenizerComponents.ByteLevel(prefix, true, true),
            PostProcessor = PostProcessor(settings, className, added, prefix),
            Decoder = TokenizerComponents.ByteLevel(prefix, true, true),
        };
    }

    private static JsonObject PostProcessor(JsonSection? settings, string className, IReadOnlyCollection<AddedToken> added, bool prefix)
    {
        AddedToken Role(string name, string usual)
        {
            JsonSection? role = settings?[name];
            string text = role is not { IsNull: false } section ? usual : section.IsObject ? section["content"].String() : section.String();
            return added.FirstOrDefault(token => token.Content == text)
                ?? throw new FormatException($"{TokenizerFiles.Configuration}: {name} is '{text}', which is no token of {TokenizerFiles.Vocabulary}.");
        }

        if (new[] { "Roberta", "Bart", "Longformer", "LED" }.Any(name => className.StartsWith(name, StringComparison.Ordinal)))
        {
            (AddedToken begin, AddedToken separator) = (Role("cls_token", "<s>"), Role("sep_token", "</s>"));
            return new JsonObject
            {
                ["type"] = "RobertaProcessing",
                ["sep"] = new JsonArray(separator.Content, separator.Id),
                ["cls"] = new JsonArray(begin.Content, begin.Id),
                ["trim_offsets"] = true,
                ["add_prefix_space"] = prefix,
            };
        }

        bool addsBegin = settings?["add_bos_token"].Boolean(false) ?? false;
        return addsBegin
            ? TokenizerComponents.Template(Role("bos_token", "<|endoftext|>"), null, 1)!
            : TokenizerComponents.ByteLevel(prefix, false, true);
    }

    // A line per merge, two tokens with a space between them; the first line may say the version.
    private static IEnumerable<(string Left, string Right)> Merges(byte[] content)
    {
        using var reader = new StreamReader(new MemoryStream(content));
        int number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal))) continue;
            int space = line.IndexOf(' ');
            if (space <= 0 || space == line.Length - 1 || line.IndexOf(' ', space + 1) >= 0)
                throw new FormatException($"{TokenizerFiles.Merges}: line {number} must be two tokens with one space between them, but is '{line}'.");
            yield return (line[..space], line[(space + 1)..]);
        }
    }
}
