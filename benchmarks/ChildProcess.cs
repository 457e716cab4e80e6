using System.Diagnostics;
using System.Globalization;

namespace MLComponents.Benchmarks;

/// <summary>A variant in a process of its own, so that its peak memory is its own.</summary>
internal static class ChildProcess
{
    private const string Prefix = "RESULT ";

    /// <summary>Runs this program with a command and gives the numbers that it reports.</summary>
    public static double[] Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(ChildProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        string text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        string result = text.Split('\n').SingleOrDefault(line => line.StartsWith(Prefix, StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with code {child.ExitCode} and printed: {text}");
        return [.. result[Prefix.Length..].Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
    }

    /// <summary>Reports numbers to the process that ran this one.</summary>
    public static void Report(params double[] numbers) => Console.WriteLine(Prefix + string.Join(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))));
}
