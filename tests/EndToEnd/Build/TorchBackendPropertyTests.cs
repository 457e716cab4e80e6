using System.Text.Json;
using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

public class TorchBackendPropertyTests
{
    [Theory]
    [InlineData(null, "TorchSharp-cpu")]
    [InlineData("cpu", "TorchSharp-cpu")]
    [InlineData("cuda", "TorchSharp-cuda-")]
    public async Task The_property_selects_the_native_package(string? backend, string package)
    {
        string[] arguments = ["msbuild", "src/Models/MLComponents.Models.csproj", "-getItem:PackageReference", "-nodeReuse:false", .. Property(backend)];
        using JsonDocument items = JsonDocument.Parse(await DotnetCommand.Run(TestPaths.Repository, arguments));
        string[] native = [.. items.RootElement.GetProperty("Items").GetProperty("PackageReference").EnumerateArray()
            .Select(item => item.GetProperty("Identity").GetString()!).Where(name => name.StartsWith("TorchSharp-", StringComparison.Ordinal))];
        string expected = package == "TorchSharp-cuda-" ? package + (OperatingSystem.IsWindows() ? "windows" : "linux") : package;
        Assert.Equal([expected], native);
    }

    [Fact]
    public async Task Another_value_is_an_error_that_names_the_allowed_ones()
    {
        (int exitCode, string output) = await DotnetCommand.RunToExit(TestPaths.Repository,
            ["msbuild", "src/Models/MLComponents.Models.csproj", "-target:CheckTorchBackend", "-nodeReuse:false", .. Property("rocm")]);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("TorchBackend is 'rocm'; it must be 'cpu' (default) or 'cuda'.", output);
    }

    private static string[] Property(string? backend) => backend is null ? [] : [$"-property:TorchBackend={backend}"];
}
