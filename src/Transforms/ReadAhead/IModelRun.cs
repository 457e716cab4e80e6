namespace MLComponents.Transforms;

/// <summary>How much a model reads at once, and when it stops.</summary>
internal interface IModelRun
{
    /// <summary>Most sequences that the model reads at once.</summary>
    int BatchSize { get; }

    /// <summary>Most tokens that the model reads at once, padding included.</summary>
    int MaxTokensPerBatch { get; }

    /// <summary>Throws when the run was cancelled.</summary>
    void CheckAlive();
}
