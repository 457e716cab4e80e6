using System.Text.Json;
using MLComponents.Testing;

namespace MLComponents.Models.Tests;

/// <summary>The folders of reference tensors, found by looking at what lies there.</summary>
internal static class ParityFolder
{
    /// <summary>The folders that hold a configuration and some other file.</summary>
    public static IEnumerable<ParityFolderEntry> WithFile(string file) =>
        from folder in Folders()
        where File.Exists(Path.Combine(folder, ModelFolder.ConfigName)) && File.Exists(Path.Combine(folder, file))
        select new ParityFolderEntry(Path.GetFileName(folder), WhyNot(folder));

    /// <summary>The folders below a model folder that hold a class with a head and what it is expected to give.</summary>
    public static IEnumerable<ParityFolderEntry> OfArchitecture(string ending) =>
        from model in Folders()
        where File.Exists(Path.Combine(model, ModelFolder.ConfigName))
        from folder in Directory.EnumerateDirectories(model).Order(StringComparer.Ordinal)
        where File.Exists(Path.Combine(folder, "expected.safetensors")) && Architecture(folder)?.EndsWith(ending, StringComparison.Ordinal) == true
        select new ParityFolderEntry($"{Path.GetFileName(model)}/{Path.GetFileName(folder)}", WhyNot(folder));

    /// <summary>The path of a folder given by its name below the fixtures.</summary>
    public static string PathOf(string name, params string[] more) => Path.Combine([TestPaths.Fixtures, name, .. more]);

    /// <summary>A row of a theory, named after its folder, and skipped where the folder cannot be read yet.</summary>
    public static TheoryDataRow<T1, T2> Row<T1, T2>(ParityFolderEntry folder, string name, T1 first, T2 second) =>
        new(first, second) { TestDisplayName = $"{folder.Name}: {name}", Skip = folder.WhyNot };

    public static TheoryDataRow<T1, T2, T3> Row<T1, T2, T3>(ParityFolderEntry folder, string name, T1 first, T2 second, T3 third) =>
        new(first, second, third) { TestDisplayName = $"{folder.Name}: {name}", Skip = folder.WhyNot };

    public static TheoryDataRow<T1, T2, T3, T4> Row<T1, T2, T3, T4>(ParityFolderEntry folder, string name, T1 first, T2 second, T3 third, T4 fourth) =>
        new(first, second, third, fourth) { TestDisplayName = $"{folder.Name}: {name}", Skip = folder.WhyNot };

    /// <summary>What the reference library calls an attention implementation.</summary>
    public static string NameOf(AttentionImplementation attention) => attention == AttentionImplementation.Eager ? "eager" : "sdpa";

    private static IEnumerable<string> Folders() =>
        Directory.Exists(TestPaths.Fixtures) ? Directory.GetDirectories(TestPaths.Fixtures).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();

    /// <summary>Why a folder cannot be compared with, or null.</summary>
    public static string? WhyNot(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, ModelFolder.ConfigName)));
        string? type = json.RootElement.GetProperty("model_type").GetString();
        return DecoderFamily.All.Any(family => family.ModelType == type) ? null : $"the family {type} is not supported yet";
    }

    private static string? Architecture(string folder)
    {
        string path = Path.Combine(folder, ModelFolder.ConfigName);
        if (!File.Exists(path)) return null;
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return json.RootElement.TryGetProperty("architectures", out JsonElement names) && names.GetArrayLength() > 0 ? names[0].GetString() : null;
    }
}

/// <summary>A folder of reference tensors.</summary>
/// <param name="Name">Its name below the fixtures.</param>
/// <param name="WhyNot">Why it cannot be compared with, or null.</param>
internal sealed record ParityFolderEntry(string Name, string? WhyNot);
