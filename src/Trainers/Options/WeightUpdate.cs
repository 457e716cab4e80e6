namespace MLComponents.Trainers;

/// <summary>How bfloat16 weights take up changes that are too small for their eight bits of mantissa.</summary>
public enum WeightUpdate
{
    /// <summary>A float32 copy of every weight is updated and rounded: 4 more bytes per weight while training.</summary>
    MasterWeights,

    /// <summary>Weights are rounded up or down at random so that the expectation is exact: no copy. Repeats with the seed.</summary>
    StochasticRounding,
}
