namespace MLComponents.Models;

/// <summary>What the feed-forward layers compute, f being the <see cref="DecoderConfig.Activation"/>.</summary>
public enum FeedForwardKind
{
    /// <summary><c>W_down (f(W_gate x) · W_up x)</c>, a gated linear unit (Shazeer 2020).</summary>
    Gated,

    /// <summary>As <see cref="Gated"/>, the rows of the gate and then those of the upward projection in one matrix.</summary>
    StackedGated,

    /// <summary><c>W_down f(W_up x)</c>.</summary>
    Plain,
}
