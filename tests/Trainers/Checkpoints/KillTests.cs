using System.Diagnostics;

namespace MLComponents.Trainers.Tests;

/// <summary>A process that trains is killed at random moments and started again.</summary>
public sealed class KillTests : IClassFixture<TinyFolder>, IDisposable
{
    private const int FewKills = 3;

    /// <summary>More kills than a run of the tests has time for: MLCOMPONENTS_KILLS=20.</summary>
    private static readonly int s_kills = int.TryParse(Environment.GetEnvironmentVariable("MLCOMPONENTS_KILLS"), out int kills) ? kills : FewKills;

    private readonly TinyFolder _model;
    private readonly ITestOutputHelper _output;
    private readonly string _folder = Directory.CreateTempSubdirectory("mlcomponents-kill-").FullName;

    public KillTests(TinyFolder model, ITestOutputHelper output)
    {
        (_model, _output) = (model, output);
        File.WriteAllLines(Path.Combine(_folder, "rows.tsv"), Tickets.Rows(80).Select(row => $"{row.Text}\t{row.Queue}"));
    }

    [Theory]
    [InlineData("full")]
    [InlineData("adapter")]
    public async Task A_run_killed_at_random_moments_ends_with_the_bits_of_one_that_was_not(string what)
    {
        await Run(what, "never killed");
        string file = what == "full" ? "model.safetensors" : "adapter_model.safetensors";
        byte[] expected = await File.ReadAllBytesAsync(Path.Combine(_folder, "never killed", file), TestContext.Current.CancellationToken);

        int seed = Random.Shared.Next();
        _output.WriteLine($"moments from seed {seed}");
        var random = new Random(seed);
        for (int kill = 0; kill < s_kills; kill++) await Run(what, "killed", afterSteps: random.Next(1, 8), afterMilliseconds: random.Next(12));
        await Run(what, "killed");
        Assert.Equal(expected, await File.ReadAllBytesAsync(Path.Combine(_folder, "killed", file), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Checkpoints("killed")));
    }

    [Fact]
    public async Task A_full_disk_loses_no_earlier_checkpoint()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the limit on the size of files is set by a shell");
        await Run("full", "never killed");
        await Run("full", "full disk", afterSteps: 8);
        string[] before = [.. Directory.GetFiles(Checkpoints("full disk"), "checkpoint-*").Order()];
        Assert.NotEmpty(before);
        byte[][] contents = Array.ConvertAll(before, File.ReadAllBytes);

        List<string> told = await Run("full", "full disk", afterSteps: 10, largestFile: 64);
        Assert.Contains(told, line => line.Contains("could not be written; earlier ones are kept", StringComparison.Ordinal));
        Assert.Equal(before, Directory.GetFiles(Checkpoints("full disk"), "checkpoint-*").Order());
        Assert.Equal(contents, Array.ConvertAll(before, File.ReadAllBytes));

        told = await Run("full", "full disk");
        Assert.Contains(told, line => line.Contains("Going on after step", StringComparison.Ordinal));
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "never killed", "model.safetensors")), File.ReadAllBytes(Path.Combine(_folder, "full disk", "model.safetensors")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Checkpoints(string name) => Path.Combine(_folder, $"{name} checkpoints");

    /// <summary>Runs the program to its end, or kills it some steps and milliseconds after it has begun.</summary>
    private async Task<List<string>> Run(string what, string name, int? afterSteps = null, int afterMilliseconds = 0, int? largestFile = null)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "MLComponents.InterruptedRun.dll");
        string[] arguments = [program, _model.Path, Path.Combine(_folder, "rows.tsv"), Checkpoints(name), Path.Combine(_folder, name), what];
        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (largestFile is { } blocks)
        {
            // A write beyond the limit fails, as on a full disk; without the trap it would end the process. The run time's own code pages are files, too, unless told otherwise.
            start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
            start.FileName = "bash";
            foreach (string argument in (string[])["-c", $"trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"", "dotnet", .. arguments])
                start.ArgumentList.Add(argument);
        }
        else
        {
            start.FileName = "dotnet";
            foreach (string argument in arguments) start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        int steps = 0;
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            lines.Add(line);
            if (!line.StartsWith("step ", StringComparison.Ordinal) || ++steps != afterSteps) continue;
            await Task.Delay(afterMilliseconds, TestContext.Current.CancellationToken);
            process.Kill();
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (afterSteps is null) Assert.True(lines.Contains("done"), $"{string.Join('\n', lines)}\n{await errors}");
        else Assert.False(lines.Contains("done"), "the run had ended before it was killed");
        return lines;
    }
}
