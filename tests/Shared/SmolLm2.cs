using System.ComponentModel;
using System.Diagnostics;

namespace MLComponents.Testing;

/// <summary>A small model that was trained on much text, as folders of several layouts. It is made from what lies beside the checkout, once.</summary>
internal static class SmolLm2
{
    private const string Name = "smollm2-135m";

    /// <summary>The folder of what the reference computes with it.</summary>
    public static string Expected => TestPaths.SharedOrSkip("models", Name, "expected");

    /// <summary>A model folder in bfloat16.</summary>
    /// <param name="layout">The layout: qwen2 or phi3.</param>
    /// <returns>The folder. The test is reported as skipped where it cannot be made.</returns>
    public static string Folder(string layout)
    {
        string source = TestPaths.SharedOrSkip("models", Name);
        string folder = Path.Combine(TestPaths.Repository, "artifacts", "models", Name, layout);
        if (Directory.Exists(folder)) return folder;

        // Beside it first: a folder that exists is complete.
        string unfinished = $"{folder}.{Environment.ProcessId}";
        Directory.CreateDirectory(unfinished);
        string? fault = null;
        foreach (string python in (string[])["python3", "/usr/bin/python3"])
        {
            fault = Run(python, [Path.Combine(source, "make.py"), unfinished, layout]);
            if (fault is null) break;
        }

        if (fault is not null) Directory.Delete(unfinished, recursive: true);
        Assert.SkipWhen(fault is not null, $"needs python3 with numpy to make the model's folder: {fault}");
        Directory.Move(unfinished, folder);
        return folder;
    }

    /// <summary>Null if it went well.</summary>
    private static string? Run(string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            _ = output.Result;
            return process.ExitCode == 0 ? null : errors.Trim().Split('\n')[^1];
        }
        catch (Win32Exception exception)
        {
            return exception.Message;
        }
    }
}
