using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using MLComponents.Testing;

namespace MLComponents.EndToEnd.Tests;

public class PackageTests
{
    private const int RowCount = 24;

    private static readonly string s_consumer = Path.Combine(TestPaths.Repository, "tests", "EndToEnd", "PackageConsumer");
    private static readonly string[] s_quiet = ["-nodeReuse:false", "-p:UseSharedCompilation=false"];
    private static readonly string[] s_packages = ["MLComponents.Models", "MLComponents.Tokenization", "MLComponents.Trainers", "MLComponents.Transforms"];

    [Fact]
    public async Task Fresh_programs_with_only_the_packages_train_save_load_and_score_alike()
    {
        using var folder = new TemporaryFolder();
        string version = $"0.1.0-test.{Guid.NewGuid():N}"; // unique, so that no copy in the package cache can stand in for these
        string packages = folder["packages"], consumer = folder["consumer"], work = folder["work"];

        await Pack(folder["checkout"], packages, version);
        Assert.Equal(s_packages.Select(name => $"{name}.{version}.nupkg"), Directory.GetFiles(packages, "*.nupkg").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (string name in s_packages) Assert_package_is_complete(Path.Combine(packages, $"{name}.{version}.nupkg"), name);

        WriteConsumer(consumer, packages, version);
        WriteRows(work);
        try
        {
            await DotnetCommand.Run(consumer, ["build", "Consumer.slnx", "-c", "Release", .. s_quiet]);
            string trainer = await DotnetCommand.Run(consumer, [Built(consumer, "Trainer"), work]);
            Assert.Contains("tensor: 1 2 3", trainer);
            string scorer = await DotnetCommand.Run(consumer, [Built(consumer, "Scorer"), work]);
            foreach (string way in (string[])["transform: ", "engine: ", "written: "])
            {
                string[] expected = [.. Lines(trainer, way)];
                Assert.Equal(RowCount, expected.Length);
                Assert.True(expected.Distinct().Count() > RowCount / 2, "The rows' scores should differ from each other.");
                Assert.Equal(expected, Lines(scorer, way));
            }

            await Assert_published_program_runs(consumer);
        }
        finally
        {
            await RemoveFromPackageCache(consumer, version);
        }
    }

    [Fact]
    public void The_program_that_loads_names_nothing_of_this_project()
    {
        string[] sources = [.. ((string[])["Scorer", "Shared"]).SelectMany(part => Directory.GetFiles(Path.Combine(s_consumer, part), "*.cs"))];
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.DoesNotContain("MLComponents", File.ReadAllText(source)));
    }

    /// <summary>What is published for one platform lies beside the program instead of below runtimes/.</summary>
    private static async Task Assert_published_program_runs(string consumer)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        await DotnetCommand.Run(consumer, ["publish", "Trainer/Trainer.csproj", "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-o", "published", .. s_quiet]);
        Assert.Contains("tensor: 1 2 3", await DotnetCommand.Run(consumer, [Path.Combine(consumer, "published", "Trainer.dll")]));
    }

    private static string Built(string consumer, string program) => Path.Combine(consumer, program, "bin", "Release", "net10.0", $"{program}.dll");

    private static IEnumerable<string> Lines(string output, string start) => output.Split('\n').Where(line => line.StartsWith(start, StringComparison.Ordinal));

    private static void WriteRows(string folder)
    {
        Directory.CreateDirectory(folder);
        string[] queues = ["Billing", "Delivery", "Returns"];
        File.WriteAllLines(Path.Combine(folder, "rows.tsv"), Enumerable.Range(0, RowCount).Select(row =>
            $"Model {row % 7}\t{(row % 5 == 0 ? "" : (row * 1.25).ToString(CultureInfo.InvariantCulture))}\t{string.Concat(Enumerable.Repeat("please look into it, ", row % 4))}{queues[row % 3].ToLowerInvariant()} number {row}\t{queues[row % 3]}"));
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
        CopySources(s_consumer, folder);
        foreach ((string program, string package) in ((string, string)[])[("Trainer", "MLComponents.Trainers"), ("Scorer", "MLComponents.Transforms")])
            File.WriteAllText(Path.Combine(folder, program, $"{program}.csproj"), $"""
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
                    <PackageReference Include="{package}" />
                    <Compile Include="../Shared/*.cs" />
                  </ItemGroup>
                </Project>
                """);
        File.WriteAllText(Path.Combine(folder, "Consumer.slnx"), """<Solution><Project Path="Trainer/Trainer.csproj" /><Project Path="Scorer/Scorer.csproj" /></Solution>""");
        // The package set is this repository's, pins included; the local folder is one source more.
        File.Copy(Path.Combine(TestPaths.Repository, "Directory.Packages.props"), Path.Combine(folder, "Repository.Packages.props"));
        File.WriteAllText(Path.Combine(folder, "Directory.Packages.props"), $"""
            <Project>
              <Import Project="Repository.Packages.props" />
              <ItemGroup>
                <PackageVersion Include="MLComponents.Trainers" Version="{version}" />
                <PackageVersion Include="MLComponents.Transforms" Version="{version}" />
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
        (int exitCode, string cache) = await DotnetCommand.RunToExit(consumer, ["msbuild", "Trainer/Trainer.csproj", "-getProperty:NuGetPackageRoot", "-nodeReuse:false"]);
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
