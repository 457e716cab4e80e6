namespace MLComponents.Testing;

/// <summary>Where tests find what they compare with.</summary>
internal static class TestPaths
{
    /// <summary>The root of this checkout: the folder that holds MLComponents.sln.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The reference tensors: tests/Fixtures, or the folder that MLCOMPONENTS_FIXTURES names.</summary>
    public static string Fixtures { get; } =
        Environment.GetEnvironmentVariable("MLCOMPONENTS_FIXTURES") is { Length: > 0 } named ? named : Path.Combine(Repository, "tests", "Fixtures");

    /// <summary>A file or folder beside the checkout that is not this project's own, or null where it does not exist.</summary>
    public static string? Shared(params string[] parts)
    {
        string path = Path.GetFullPath(Path.Combine([Repository, "..", "shared", .. parts]));
        return Path.Exists(path) ? path : null;
    }

    /// <summary>As <see cref="Shared"/>, but the test is reported as skipped where it does not exist.</summary>
    public static string SharedOrSkip(params string[] parts)
    {
        string? path = Shared(parts);
        Assert.SkipWhen(path is null, $"needs ../shared/{string.Join('/', parts)}, which is not part of this repository");
        return path!;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "MLComponents.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"No MLComponents.sln in {AppContext.BaseDirectory} or above: run the tests from a checkout.");
    }
}
