namespace MLComponents.Tokenization;

/// <summary>How a BPE model treats what its merges do not say.</summary>
internal sealed record BpeSettings
{
    /// <summary>What is written for characters without a token; where it is null they vanish.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>What every character but the first of a piece is looked up with in front.</summary>
    public string ContinuingSubwordPrefix { get; init; } = "";

    /// <summary>What the last character of a piece is looked up with behind it.</summary>
    public string EndOfWordSuffix { get; init; } = "";

    /// <summary>Whether neighbouring unknown characters become one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Whether unknown characters are written with the tokens &lt;0x00&gt; to &lt;0xFF&gt; of their bytes.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Whether a piece that is a token by itself is that token, whatever merges say.</summary>
    public bool IgnoreMerges { get; init; }
}
