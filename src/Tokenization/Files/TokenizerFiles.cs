namespace MLComponents.Tokenization;

/// <summary>Which files make up a tokenizer, and reading them.</summary>
internal static class TokenizerFiles
{
    /// <summary>The file that describes all of it; where it is absent it is made of others.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>The settings of the tokenizer class.</summary>
    public const string Configuration = "tokenizer_config.json";

    /// <summary>The older place of special tokens.</summary>
    public const string SpecialTokens = "special_tokens_map.json";

    /// <summary>The older place of added tokens.</summary>
    public const string AddedTokens = "added_tokens.json";

    /// <summary>The vocabulary of a byte-level BPE tokenizer.</summary>
    public const string Vocabulary = "vocab.json";

    /// <summary>Its merges.</summary>
    public const string Merges = "merges.txt";

    /// <summary>The vocabulary of a WordPiece tokenizer.</summary>
    public const string WordPieces = "vocab.txt";

    /// <summary>The chat template.</summary>
    public const string ChatTemplate = "chat_template.jinja";

    private const string ChatTemplates = "additional_chat_templates";
    private const string TemplateEnding = ".jinja";

    private static readonly string[] SentencePieces = ["tokenizer.model", "spiece.model", "sentencepiece.model", "sentencepiece.bpe.model"];
    private static readonly string[] Companions = [Configuration, SpecialTokens, ChatTemplate];
    private static readonly string[] Sources = [AddedTokens, Vocabulary, Merges, WordPieces, .. SentencePieces];

    /// <summary>Reads a folder, or a file and its companions.</summary>
    public static Dictionary<string, byte[]> Read(string path)
    {
        if (Directory.Exists(path))
        {
            var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
            foreach (string name in (string[])[Tokenizer, .. Companions]) Add(files, path, name);
            AddChatTemplates(files, path);
            if (!files.ContainsKey(Tokenizer))
                foreach (string name in Sources) Add(files, path, name);
            if (HasTokenizer(files)) return files;
            string found = string.Join(", ", Directory.EnumerateFiles(path).Select(name => Path.GetFileName(name)).Order(StringComparer.Ordinal).Take(12));
            throw new FileNotFoundException(
                $"The folder {path} has neither {Tokenizer}, nor {Vocabulary} and {Merges}, nor {SentencePieces[0]}, nor {WordPieces}; it has: {(found.Length == 0 ? "no files" : found)}.",
                Path.Combine(path, Tokenizer));
        }

        if (!File.Exists(path)) throw new FileNotFoundException($"There is no tokenizer at {path}: neither a folder with a {Tokenizer} nor such a file.", path);
        return ReadFile(path);
    }

    /// <summary>Whether files make up a tokenizer.</summary>
    public static bool HasTokenizer(IReadOnlyDictionary<string, byte[]> files) => files.ContainsKey(Tokenizer)
        || (files.ContainsKey(Vocabulary) && files.ContainsKey(Merges)) || SentencePieces.Any(files.ContainsKey) || files.ContainsKey(WordPieces);

    /// <summary>The files with a tokenizer.json, made of the others where it was not among them, which are left out then.</summary>
    /// <exception cref="FormatException">A file is broken.</exception>
    /// <exception cref="NotSupportedException">What it describes is not supported.</exception>
    public static Dictionary<string, byte[]> Complete(IReadOnlyDictionary<string, byte[]> files)
    {
        var complete = new Dictionary<string, byte[]>(files, StringComparer.Ordinal);
        if (files.ContainsKey(Tokenizer)) return complete;
        byte[] made = files.ContainsKey(Vocabulary) && files.ContainsKey(Merges)
            ? VocabularyMergesSource.Make(files)
            : SentencePieces.FirstOrDefault(files.ContainsKey) is { } model ? SentencePieceSource.Make(model, files) : WordPieceSource.Make(files);
        foreach (string source in Sources) complete.Remove(source);
        complete[Tokenizer] = made;
        return complete;
    }

    /// <summary>The name of the chat template that a file holds; null where it is no such file.</summary>
    public static string? TemplateName(string file)
    {
        if (file == ChatTemplate) return ChatTemplateSource.Default;
        string[] parts = file.Split('/');
        return parts is [ChatTemplates, { Length: > 6 } name] && name.EndsWith(TemplateEnding, StringComparison.Ordinal) ? name[..^TemplateEnding.Length] : null;
    }

    /// <summary>Writes a file of a tokenizer into its folder.</summary>
    public static void Write(string folder, string name, byte[] content)
    {
        string path = Path.Combine(folder, name);
        if (TemplateName(name) is not null) Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Write(path, content);
    }

    /// <summary>Writes beside the file and renames, so that a reader never sees half of it and a failure leaves the old one.</summary>
    public static void Write(string path, byte[] content)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllBytes(temporary, content);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    // A file of any name is a tokenizer.json, unless it ends like a source; those with their usual names bring their companions.
    private static Dictionary<string, byte[]> ReadFile(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string name = Path.GetFileName(path);
        string role = name.EndsWith(".model", StringComparison.OrdinalIgnoreCase) ? SentencePieces[0] : name is Vocabulary or WordPieces ? name : Tokenizer;
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [role] = File.ReadAllBytes(path) };
        if (role == Vocabulary) Add(files, folder, Merges);
        if (role == Vocabulary && !files.ContainsKey(Merges)) throw new FileNotFoundException($"There is no {Merges} beside {path}.", Path.Combine(folder, Merges));
        if (name != Tokenizer && !Sources.Contains(name)) return files;
        foreach (string companion in role == Tokenizer ? Companions : [.. Companions, AddedTokens]) Add(files, folder, companion);
        AddChatTemplates(files, folder);
        return files;
    }

    private static void Add(Dictionary<string, byte[]> files, string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (File.Exists(path)) files[name] = File.ReadAllBytes(path);
    }

    private static void AddChatTemplates(Dictionary<string, byte[]> files, string folder)
    {
        string path = Path.Combine(folder, ChatTemplates);
        if (!Directory.Exists(path)) return;
        foreach (string file in Directory.EnumerateFiles(path, "*" + TemplateEnding).Order(StringComparer.Ordinal))
            files[$"{ChatTemplates}/{Path.GetFileName(file)}"] = File.ReadAllBytes(file);
    }
}
