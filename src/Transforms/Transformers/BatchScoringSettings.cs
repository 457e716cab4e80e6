namespace MLComponents.Transforms;

/// <summary>How a transformer runs a model that reads rows in padded batches.</summary>
public abstract class BatchScoringSettings : ScoringSettings
{
    private protected BatchScoringSettings()
    {
    }

    /// <summary>Most tokens that the model reads at once, padding included, at least 1; a longer text or window is read alone. Default 4096.</summary>
    public int MaxTokensPerBatch { get; set; } = 4096;

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTokensPerBatch, 1);
    }
}
