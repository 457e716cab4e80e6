using System.Diagnostics;

namespace MLComponents.Benchmarks;

/// <summary>What an action took.</summary>
/// <param name="Seconds">By the clock: what a user waits, on a machine with nothing else to do.</param>
/// <param name="ProcessorSeconds">Of all threads of this process: tells more beside other work.</param>
internal readonly record struct Spent(double Seconds, double ProcessorSeconds)
{
    /// <summary>The least that an action takes in some rounds, after one that does not count.</summary>
    public static Spent Least(int rounds, Action action)
    {
        action();
        (double seconds, double processor) = (double.PositiveInfinity, double.PositiveInfinity);
        for (int round = 0; round < rounds; round++)
        {
            Spent spent = Of(action);
            (seconds, processor) = (Math.Min(seconds, spent.Seconds), Math.Min(processor, spent.ProcessorSeconds));
        }

        return new Spent(seconds, processor);
    }

    /// <summary>What an action takes.</summary>
    public static Spent Of(Action action)
    {
        (long start, TimeSpan used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        action();
        return new Spent(Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
    }
}
