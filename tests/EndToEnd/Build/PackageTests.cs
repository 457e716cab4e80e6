using System.IO.Compression;
using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

public class PackageTests
{
    private static readonly string[] s_packages = ["MLComponents.Models", "MLComponents.Tokenization", "MLComponents.Trainers", "MLComponents.Transforms"];

    [Fact]
    public async Task A_fresh_program_with_only_the_packages_builds_and_runs()
    {
        using var folder = new TemporaryFolder();
        string version = $"0.1.0-test.{Guid.NewGuid():N}"; // unique, so that no copy in the package cache can stand in for these
        string packages = folder["packages"], consumer = folder["consumer"];

        await Pack(folder["checkout"], packages, version);
        Assert.Equal(s_packages.Select(name => $"{name}.{version}.nupkg"), Directory.GetFiles(packages, "*.nupkg").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string name in s_packages) Assert_package_is_complete(Path.Combine(packages, $"{name}.{version}.nupkg"), name);

        WriteConsumer(consumer, packages, version);
        string[] quiet = ["-nodeReuse:false", "-p:UseSharedCompilation=false"];
        try
        {
            await DotnetCommand.Run(consumer, ["build", "Consumer.csproj", "-c", "Release", .. quiet]);
            string output = await DotnetCommand.Run(consumer, ["run", "--no-build", "-c", "Release", "--project", "Consumer.csproj"]);
            Assert.Contains("tensor: 1 2 3", output);

            // What is published for one platform lies beside the program instead of below runtimes/.
            if (OperatingSystem.IsLinux() && System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            {
                await DotnetCommand.Run(consumer, ["publish", "Consumer.csproj", "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-o", "published", .. quiet]);
                Assert.Contains("tensor: 1 2 3", await DotnetCommand.Run(consumer, [Path.Combine(consumer, "published", "Consumer.dll")]));
            }
        }
        finally
        {
            await RemoveFromPackageCache(consumer, version);
        }
    }

    /// <summary>Packs a copy of the sources, as a fresh clone has them: the binaries that run this test stay out of it.</summary>
    private static async Task Pack(string checkout, string packages, string version)
    {
        Directory.CreateDirectory(checkout);
        foreach (string file in Directory.GetFiles(TestPaths.Repository))
            if (Path.GetFileName(file) is not (".git" or "MLComponents.sln")) File.Copy(file, Path.Combine(checkout, Path.GetFileName(file)));
        foreach (string room in (string[])["src", "build"]) CopySources(Path.Combine(TestPaths.Repository, room), Path.Combine(checkout, room));
        // One project brings the others, in parallel; -p: is a property of all of them.
        string[] options = ["-c", "Release", "-o", packages, $"-p:Version={version}", "-p:ContinuousIntegrationBuild=true", "-nodeReuse:false", "-p:UseSharedCompilation=false"];
        await DotnetCommand.Run(checkout, ["build", "src/Trainers/MLComponents.Trainers.csproj", .. options.Where((_, index) => index is not (2 or 3))]);
        foreach (string name in s_packages)
            await DotnetCommand.Run(checkout, ["pack", $"src/{name.Split('.')[1]}/{name}.csproj", "--no-build", .. options]);
    }

    private static void Assert_package_is_complete(string path, string name)
    {
        using ZipArchive package = ZipFile.OpenRead(path);
        string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Contains("README.md", entries);
        Assert.Contains($"lib/net10.0/{name}.dll", entries);
        Assert.Contains($"lib/net10.0/{name}.xml", entries);
        Assert.Equal(name == "MLComponents.Models", entries.Contains("buildTransitive/MLComponents.Models.targets"));
        Assert.Equal(name == "MLComponents.Models", entries.Contains("buildTransitive/PatchTorchSharp.cs"));

        using var reader = new StreamReader(package.GetEntry($"{name}.nuspec")!.Open());
        string specification = reader.ReadToEnd();
        Assert.Contains("""<license type="expression">MIT</license>""", specification);
        Assert.Contains("<readme>README.md</readme>", specification);
        Assert.DoesNotContain("PublicApiAnalyzers", specification);
    }

    private static void WriteConsumer(string folder, string packages, string version)
    {
        CopySources(Path.Combine(TestPaths.Repository, "tests", "EndToEnd", "PackageConsumer"), folder);
        File.WriteAllText(Path.Combine(folder, "Consumer.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <WarningsNotAsErrors>NU1900;NU1901;NU1902;NU1903;NU1904</WarningsNotAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MLComponents.Trainers" />
              </ItemGroup>
            </Project>
            """);
        // The package set is this repository's, pins included; the local folder is one source more.
        File.Copy(Path.Combine(TestPaths.Repository, "Directory.Packages.props"), Path.Combine(folder, "Repository.Packages.props"));
        File.WriteAllText(Path.Combine(folder, "Directory.Packages.props"), $"""
            <Project>
              <Import Project="Repository.Packages.props" />
              <ItemGroup>
                <PackageVersion Include="MLComponents.Trainers" Version="{version}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "nuget.config"), $"""
            <?xml version="1.0" encoding="utf-8"?>
            <configuration>
              <packageSources>
                <add key="mlcomponents-under-test" value="{packages}" />
              </packageSources>
            </configuration>
            """);
    }

    private static void CopySources(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (string folder in Directory.GetDirectories(from))
            if (Path.GetFileName(folder) is not ("bin" or "obj")) CopySources(folder, Path.Combine(to, Path.GetFileName(folder)));
    }

    private static async Task RemoveFromPackageCache(string consumer, string version)
    {
        (int exitCode, string cache) = await DotnetCommand.RunToExit(consumer, ["msbuild", "Consumer.csproj", "-getProperty:NuGetPackageRoot", "-nodeReuse:false"]);
        if (exitCode != 0 || !Directory.Exists(cache.Trim())) return;
        foreach (string name in s_packages)
        {
            string package = Path.Combine(cache.Trim(), name.ToLowerInvariant()), added = Path.Combine(package, version);
            if (!Directory.Exists(added)) continue;
            Directory.Delete(added, recursive: true);
            if (!Directory.EnumerateFileSystemEntries(package).Any()) Directory.Delete(package);
        }
    }
}
