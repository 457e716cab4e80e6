using MLComponents.Trainers;
using Spectre.Console;

namespace TicketRouting;

/// <summary>Shows how training goes on: a line that is rewritten on a terminal, a line per epoch elsewhere.</summary>
internal sealed class ProgressDisplay : IProgress<TrainingProgress>, IDisposable
{
    private const int BarWidth = 24;

    private readonly bool _interactive = AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected;
    private int _epochShown;

    public void Report(TrainingProgress progress)
    {
        bool epochEnds = progress.Epoch != _epochShown && progress.Step * progress.Epochs >= progress.Epoch * progress.Steps;
        if (!_interactive && !epochEnds) return;
        int filled = (int)(BarWidth * progress.Step / progress.Steps);
        string line = $"{new string('█', filled)}{new string('░', BarWidth - filled)} epoch {progress.Epoch}/{progress.Epochs}  "
            + $"loss {progress.Loss:F3}  {progress.TokensPerSecond,6:F0} tokens/s  {TimeSpan.FromSeconds(Math.Ceiling(progress.Remaining.TotalSeconds)):c} to go";
        if (_interactive) Console.Write($"\r{line,-100}");
        else Console.WriteLine(line);
        if (epochEnds) _epochShown = progress.Epoch;
    }

    public void Dispose()
    {
        if (_interactive) Console.WriteLine();
    }
}
