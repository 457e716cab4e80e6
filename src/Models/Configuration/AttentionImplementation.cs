namespace MLComponents.Models;

/// <summary>What computes attention. The results are equal up to rounding.</summary>
public enum AttentionImplementation
{
    /// <summary>libtorch's fused kernel: no matrix of weights is ever formed (<c>sdpa</c>).</summary>
    ScaledDotProduct,

    /// <summary>Matrix products and a softmax; can return the attention weights (<c>eager</c>).</summary>
    Eager,
}
