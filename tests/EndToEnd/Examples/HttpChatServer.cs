using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace MLComponents.EndToEnd.Tests;

/// <summary>The example as a process that listens on a port of its own.</summary>
public sealed partial class HttpChatServer : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private Process? _process;

    /// <summary>A client of it.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        string model = ChatFolder.Create(_folder["tiny"]);
        var start = new ProcessStartInfo("dotnet", [ExamplePrograms.Find("HttpChat"), "--model", model, "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = new StringBuilder();
        DataReceivedEventHandler read = (_, line) =>
        {
            lock (output) output.AppendLine(line.Data);
            if (line.Data is { } text && Listening().Match(text) is { Success: true } found) address.TrySetResult(found.Groups[1].Value);
        };
        _process.OutputDataReceived += read;
        _process.ErrorDataReceived += read;
        _process.EnableRaisingEvents = true;
        _process.Exited += (_, _) => address.TrySetException(new InvalidOperationException($"The server ended:\n{output}"));
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Client = new HttpClient { BaseAddress = new Uri(await address.Task.WaitAsync(TimeSpan.FromMinutes(5))), Timeout = TimeSpan.FromMinutes(5) };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        _folder.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
