using MLComponents.Testing;

namespace MLComponents.Tokenization.Tests;

/// <summary>
/// Where tokenizers and their golden files are: MLCOMPONENTS_TOKENIZERS, else ../shared/tokenizers, else the copies in tests/Fixtures.
/// </summary>
internal static class GoldenSet
{
    /// <summary>The sets to test: the committed one, and the whole one where there is one.</summary>
    public static IEnumerable<string> Roots
    {
        get
        {
            yield return Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers");
            string? whole = Environment.GetEnvironmentVariable("MLCOMPONENTS_TOKENIZERS") is { Length: > 0 } named ? named : TestPaths.Shared("tokenizers");
            if (whole is not null) yield return whole;
        }
    }

    /// <summary>The self-trained tokenizers of a set that have a golden file: name, folder, golden file.</summary>
    public static IEnumerable<(string Name, string Folder, string Golden)> Trained(string root)
    {
        string folder = Path.Combine(root, "trained");
        if (!Directory.Exists(folder)) yield break;
        foreach (string tokenizer in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(tokenizer);
            string golden = Path.Combine(root, "golden-offsets", name + ".jsonl");
            if (File.Exists(golden) && File.Exists(Path.Combine(tokenizer, "tokenizer.json"))) yield return (name, tokenizer, golden);
        }
    }
}
