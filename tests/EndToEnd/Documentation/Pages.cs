using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

/// <summary>The pages that a reader finds: README.md and docs.</summary>
internal static class Pages
{
    public static string Documents { get; } = Path.Combine(TestPaths.Repository, "docs");

    public static IReadOnlyList<string> All { get; } =
        [Path.Combine(TestPaths.Repository, "README.md"), .. Directory.GetFiles(Documents, "*.md").Order(StringComparer.Ordinal)];
}
