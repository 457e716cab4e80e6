using System.Reflection;
using System.Text;

namespace MLComponents.EndToEnd.Tests;

public class SnippetTests
{
    /// <summary>What examples may use without saying where it comes from: the directives of a program, and things that the text around them speaks of.</summary>
    private const string Surroundings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.ML;
        global using Microsoft.ML.Data;
        global using MLComponents.Models;
        global using MLComponents.Tokenization;
        global using MLComponents.Trainers;
        global using MLComponents.Transforms;

        internal abstract class Surroundings
        {
            protected static readonly MLContext ml = new();
            protected static readonly IDataView rows = null!;
            protected static readonly DataOperationsCatalog.TrainTestData split = default;
            protected static readonly ITransformer model = null!;
            protected static readonly string text = "";
        }

        """;

    [Fact]
    public async Task Every_example_of_the_pages_compiles()
    {
        using var folder = new TemporaryFolder();
        int examples = 0;
        var arguments = new List<string> { "-target:library", "-nologo", "-nullable:enable", "-langversion:latest", "-nostdlib", "-noconfig", $"-out:\"{folder["Examples.dll"]}\"" };
        // The framework and all that this test is built on: whatever the run time was told it may load.
        arguments.AddRange(((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => $"-reference:\"{path}\""));
        await File.WriteAllTextAsync(folder["Surroundings.cs"], Surroundings, TestContext.Current.CancellationToken);
        arguments.Add($"\"{folder["Surroundings.cs"]}\"");
        foreach (string page in Pages.All)
        {
            string name = Path.GetFileNameWithoutExtension(page).Replace('-', '_');
            Snippet[] snippets = [.. Snippet.Of(Path.GetFileName(page), await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken))];
            examples += snippets.Length;
            foreach (Snippet snippet in snippets)
            {
                string file = folder[$"{name}_{snippet.Line}.cs"];
                await File.WriteAllTextAsync(file, Wrap(name, snippet), TestContext.Current.CancellationToken);
                arguments.Add($"\"{file}\"");
            }
        }

        Assert.True(examples > 0, "The pages have no examples.");
        await File.WriteAllLinesAsync(folder["arguments.rsp"], arguments, TestContext.Current.CancellationToken);
        (int exitCode, string output) = await DotnetCommand.RunToExit(folder.Path, [Compiler, $"@{folder["arguments.rsp"]}"]);
        Assert.True(exitCode == 0, string.Join('\n', output.Split('\n').Where(line => line.Contains("error", StringComparison.Ordinal))));
    }

    private static string Compiler => typeof(SnippetTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Compiler").Value!;

    private static string Wrap(string name, Snippet snippet) => new StringBuilder()
        .AppendLine(snippet.Usings)
        .AppendLine("#line hidden")
        .AppendLine($"namespace Examples.{name}")
        .AppendLine("{")
        .AppendLine($"internal sealed class Line{snippet.Line} : Surroundings")
        .AppendLine("{")
        .AppendLine("public static async Task Run()")
        .AppendLine("{")
        .AppendLine(snippet.Statements)
        .AppendLine("#line hidden")
        .AppendLine("await Task.CompletedTask;")
        .AppendLine("}")
        .AppendLine("}")
        .AppendLine(snippet.Types)
        .AppendLine("#line hidden")
        .AppendLine("}")
        .ToString();
}
