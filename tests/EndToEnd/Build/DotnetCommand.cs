using System.Diagnostics;
using System.Text;

namespace MLComponents.EndToEnd.Tests;

/// <summary>Runs <c>dotnet</c> as a user would in a fresh shell: nothing that the test host set for itself reaches the child.</summary>
internal static class DotnetCommand
{
    /// <summary>Runs a command to its end and returns what it wrote to both streams.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds its output.</exception>
    /// <exception cref="TimeoutException">It took longer than <paramref name="timeout"/> (15 minutes unless told) and was ended.</exception>
    public static async Task<string> Run(string folder, IEnumerable<string> arguments, TimeSpan? timeout = null)
    {
        (int exitCode, string output) = await RunToExit(folder, arguments, timeout);
        return exitCode == 0 ? output : throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} ended with {exitCode}:\n{output}");
    }

    /// <summary>As <see cref="Run"/>, for a command that may fail.</summary>
    public static async Task<(int ExitCode, string Output)> RunToExit(string folder, IEnumerable<string> arguments, TimeSpan? timeout = null, string input = "")
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(IsOfTheTestHost).ToArray()) start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["UseSharedCompilation"] = "false"; // no compiler server outlives the test

        using var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = new StringBuilder();
        // Both streams are read as they come: a child that fills a pipe that nobody reads never ends.
        Task reading = Task.WhenAll(Collect(process.StandardOutput, output), Collect(process.StandardError, output));
        using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromMinutes(15));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"dotnet {string.Join(' ', arguments)} did not end:\n{Snapshot(output)}");
        }
        // A grandchild may hold the pipes for longer than the child lives.
        await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(10), CancellationToken.None));
        return (process.ExitCode, Snapshot(output));
    }

    private static async Task Collect(StreamReader reader, StringBuilder output)
    {
        while (await reader.ReadLineAsync() is { } line)
            lock (output) output.Append(line).Append('\n');
    }

    private static string Snapshot(StringBuilder output)
    {
        lock (output) return output.ToString();
    }

    private static bool IsOfTheTestHost(string name)
    {
        string[] prefixes = ["MSBUILD", "VSTEST", "TESTINGPLATFORM", "XUNIT", "COMPLUS_", "CORECLR_", "DOTNET_HOST_PATH", "DOTNET_STARTUP_HOOKS", "DOTNET_CLI_TEST", "DOTNET_CLI_CONTEXT"];
        return prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
    }
}
