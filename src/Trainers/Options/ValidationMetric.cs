namespace MLComponents.Trainers;

/// <summary>What is watched on the validation rows, to keep the best weights and to stop early.</summary>
public enum ValidationMetric
{
    /// <summary>The mean cross-entropy per row, in nats; lower is better.</summary>
    LogLoss,

    /// <summary>The share of rows whose most probable label is right, 0 to 1.</summary>
    MicroAccuracy,

    /// <summary>The mean over the labels of the share of their rows that is right, 0 to 1; every label counts the same.</summary>
    MacroAccuracy,
}
