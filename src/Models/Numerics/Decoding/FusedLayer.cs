namespace MLComponents.Models;

/// <summary>One layer's weights.</summary>
internal sealed record FusedLayer
{
    public required FusedNorm InputNorm { get; init; }

    /// <summary>The norm before the feed-forward layer; the input norm where that serves both.</summary>
    public required FusedNorm SecondNorm { get; init; }

    /// <summary>One matrix, or those of queries, keys and values.</summary>
    public required FusedMatrix[] QueryKeyValue { get; init; }

    /// <summary>The norm of single queries, where there is one.</summary>
    public FusedNorm? QueryNorm { get; init; }

    /// <summary>The norm of single keys, where there is one.</summary>
    public FusedNorm? KeyNorm { get; init; }

    public required FusedMatrix AttentionOutput { get; init; }

    /// <summary>What goes through the activation: the gate, or the only upward projection.</summary>
    public required FusedMatrix Activated { get; init; }

    /// <summary>What the activated is multiplied with, in a gated layer.</summary>
    public FusedMatrix? Factor { get; init; }

    public required FusedMatrix Down { get; init; }
}
