using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

/// <summary>Where the examples are that were built with these tests.</summary>
internal static class ExamplePrograms
{
    public static string Find(string name)
    {
        // The test's own bin/<configuration>/<framework>.
        string built = Path.GetRelativePath(Path.Combine(TestPaths.Repository, "tests", "EndToEnd"), AppContext.BaseDirectory);
        return Path.Combine(TestPaths.Repository, "examples", name, built, $"{name}.dll");
    }
}
