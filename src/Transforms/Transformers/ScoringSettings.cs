namespace MLComponents.Transforms;

/// <summary>How a transformer runs its model: what the settings of all of them have in common. Part of the model file, except for <see cref="Device"/> and <see cref="CancellationToken"/>.</summary>
public abstract class ScoringSettings
{
    private protected ScoringSettings()
    {
    }

    /// <summary>Most rows or windows of rows that the model reads at once, at least 1. Default 32; 16 where texts are generated or choices scored.</summary>
    public int BatchSize { get; set; } = 32;

    /// <summary>
    /// Most rows read ahead in order to batch rows of like length, at least 1. Default 2048; 512 where questions are answered, 1024 where texts are generated. The first window of a cursor has
    /// <see cref="BatchSize"/> rows and each further one twice as many up to this, and a batch is only computed when one of its
    /// rows is asked for, so that a preview of a few rows costs one batch. Where texts are generated, they are generated no further than rows are asked for, but for those beside them.
    /// </summary>
    public int LookAhead { get; set; } = 2048;

    /// <summary>Where the model runs: "cpu", "cuda" or "cuda:N". <see langword="null"/> (the default): the GPU that <c>MLContext.GpuDeviceId</c> names, else the CPU. Not saved.</summary>
    public string? Device { get; set; }

    /// <summary>Stops the model between two batches; where texts are generated, before the next token. Not saved.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal virtual ScoringSettings Copy() => (ScoringSettings)MemberwiseClone();

    /// <summary>Throws what is wrong with the values, naming the option.</summary>
    internal virtual void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LookAhead, 1);
    }

    /// <summary>Throws where a side is none.</summary>
    private protected static void CheckSide(TruncationSide side)
    {
        if (!Enum.IsDefined(side)) throw OutOfRange.Error($"{nameof(TruncationSide)} is {side}; expected End, Start or Middle.", nameof(TruncationSide));
    }

    /// <summary>Throws where output columns lack names of their own.</summary>
    internal static void CheckOutputs(params IReadOnlyList<string> names)
    {
        if (names.Any(string.IsNullOrEmpty) || names.Distinct(StringComparer.Ordinal).Count() < names.Count)
            throw new ArgumentException($"The output columns need different names; found {string.Join(", ", names.Select(name => $"'{name}'"))}.");
    }
}
