namespace MLComponents.Tokenization;

/// <summary>Which files make up a tokenizer, and reading them.</summary>
internal static class TokenizerFiles
{
    /// <summary>The file without which there is none.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>The settings of the tokenizer class.</summary>
    public const string Configuration = "tokenizer_config.json";

    /// <summary>The older place of special tokens.</summary>
    public const string SpecialTokens = "special_tokens_map.json";

    private static readonly string[] Companions = [Configuration, SpecialTokens, "chat_template.jinja"];

    /// <summary>Reads a folder, or a file and, where it is named tokenizer.json, its companions.</summary>
    public static Dictionary<string, byte[]> Read(string path)
    {
        string file = path;
        if (Directory.Exists(path))
        {
            file = Path.Combine(path, Tokenizer);
            if (!File.Exists(file))
            {
                string found = string.Join(", ", Directory.EnumerateFiles(path).Select(name => Path.GetFileName(name)).Order(StringComparer.Ordinal).Take(12));
                throw new FileNotFoundException($"The folder {path} has no {Tokenizer}; it has: {(found.Length == 0 ? "no files" : found)}.", file);
            }
        }
        else if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no tokenizer at {path}: neither a folder with a {Tokenizer} nor such a file.", path);
        }

        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [Tokenizer] = File.ReadAllBytes(file) };
        if (Path.GetFileName(file) != Tokenizer) return files;
        foreach (string companion in Companions)
        {
            string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, companion);
            if (File.Exists(beside)) files[companion] = File.ReadAllBytes(beside);
        }

        return files;
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
}
