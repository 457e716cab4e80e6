namespace MLComponents.Models;

/// <summary>How a decoder normalises its hidden states.</summary>
public enum NormKind
{
    /// <summary><c>w · x / sqrt(mean(x²) + ε)</c>, Zhang and Sennrich 2019.</summary>
    RootMeanSquare,

    /// <summary><c>w · (x - mean(x)) / sqrt(var(x) + ε) + b</c>, Ba et al. 2016.</summary>
    Layer,
}
