using TorchSharp.Modules;

namespace MLComponents.Models;

/// <summary>Parameters that are updated with the same weight decay and learning rate.</summary>
/// <param name="Parameters">The parameters.</param>
/// <param name="WeightDecay">The weight decay λ, at least 0.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay)
{
    /// <summary>What the learning rate of a step is multiplied with for this group; 1 unless set.</summary>
    public double LearningRateScale { get; init; } = 1;
}
