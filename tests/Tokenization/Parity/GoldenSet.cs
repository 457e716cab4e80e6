using System.Text.Json;
using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>
/// Where tokenizers and their golden files are: the copies in tests/Fixtures, and the whole set that MLCOMPONENTS_TOKENIZERS names, else
/// ../shared/tokenizers. Nothing here knows what is in them: files are found by the layout.
/// </summary>
internal static class GoldenSet
{
    private static readonly Dictionary<string, PretrainedTokenizer> Loaded = [];

    /// <summary>The sets to test, with a name for each.</summary>
    public static IEnumerable<(string Name, string Root)> Roots
    {
        get
        {
            yield return ("committed lines", Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers"));
            string? whole = Environment.GetEnvironmentVariable("MLCOMPONENTS_TOKENIZERS") is { Length: > 0 } named ? named : TestPaths.Shared("tokenizers");
            if (whole is not null) yield return ("whole set", whole);
        }
    }

    /// <summary>The folders of self-trained tokenizers.</summary>
    public static IEnumerable<(string Set, string Folder)> TrainedFolders() => Roots
        .Select(root => (root.Name, Folder: Path.Combine(root.Root, "trained")))
        .Where(root => Directory.Exists(root.Folder))
        .SelectMany(root => Directory.EnumerateDirectories(root.Folder).Order(StringComparer.Ordinal).Select(folder => (root.Name, folder)));

    /// <summary>
    /// Groups of lines of golden-offsets/*.jsonl, one for every file and tokenizer, where the file has this form: with a property, and
    /// naming tokenizers in its lines or not.
    /// </summary>
    public static IEnumerable<TheoryDataRow<string, string, string>> Groups(string property, bool namesTokenizers)
    {
        foreach ((string set, string root) in Roots)
        {
            string folder = Path.Combine(root, "golden-offsets");
            if (!Directory.Exists(folder)) continue;
            foreach (string file in Directory.EnumerateFiles(folder, "*.jsonl").Order(StringComparer.Ordinal))
            {
                string? first = File.ReadLines(file).FirstOrDefault(line => line.Length > 0);
                if (first is null) continue;
                JsonElement line = JsonDocument.Parse(first).RootElement;
                if (!line.TryGetProperty(property, out _) || line.TryGetProperty("tokenizer", out _) != namesTokenizers) continue;
                IEnumerable<string> names = namesTokenizers
                    ? Lines(file).Select(json => json.GetProperty("tokenizer").GetString()!).Distinct()
                    : [Path.GetFileNameWithoutExtension(file)];
                foreach (string name in names)
                    yield return new TheoryDataRow<string, string, string>(root, file, name) { TestDisplayName = $"{name}: {Path.GetFileNameWithoutExtension(file)}, {set}" };
            }
        }
    }

    /// <summary>The lines of a group.</summary>
    public static IEnumerable<JsonElement> Lines(string file, string? tokenizer = null) => File.ReadLines(file)
        .Where(line => line.Length > 0)
        .Select(line => JsonDocument.Parse(line).RootElement)
        .Where(line => tokenizer is null || !line.TryGetProperty("tokenizer", out JsonElement name) || name.GetString() == tokenizer);

    /// <summary>The tokenizer of a name; the test is skipped where the set does not hold it.</summary>
    public static PretrainedTokenizer Load(string root, string name)
    {
        string? path = Find(root, name);
        Assert.SkipWhen(path is null, $"there is no tokenizer {name} in {root}");
        if (!Loaded.TryGetValue(path!, out PretrainedTokenizer? tokenizer)) Loaded[path!] = tokenizer = PretrainedTokenizer.Load(path!);
        return tokenizer;
    }

    /// <summary>
    /// A folder of that name with a tokenizer.json, else the file tokenizer.NAME.json, else the only file of such a folder that looks like
    /// a tokenizer.json.
    /// </summary>
    public static string? Find(string root, string name)
    {
        string[] folders = [.. Directory.EnumerateDirectories(root, name, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        return folders.Select(folder => Path.Combine(folder, "tokenizer.json")).FirstOrDefault(File.Exists)
            ?? Directory.EnumerateFiles(root, $"tokenizer.{name}.json", SearchOption.AllDirectories).FirstOrDefault()
            ?? folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*tokenizer.json")).FirstOrDefault();
    }
}
