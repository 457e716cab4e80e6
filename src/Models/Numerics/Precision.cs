namespace MLComponents.Models;

/// <summary>The number format of weights, activations and gradients. Losses, norms and reductions are computed in float32 in either.</summary>
public enum Precision
{
    /// <summary>32-bit floats throughout.</summary>
    Float32,

    /// <summary>
    /// bfloat16 weights, activations and gradients: half the memory of <see cref="Float32"/>. Where the processor has no
    /// fast bfloat16 instructions, products are computed in float32 and rounded, which is as exact and not slower.
    /// </summary>
    BFloat16,
}
