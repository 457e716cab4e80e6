using TorchSharp.Modules;

namespace MLComponents.Models;

/// <summary>Parameters that are updated with the same weight decay.</summary>
/// <param name="Parameters">The parameters.</param>
/// <param name="WeightDecay">The decoupled weight decay λ, at least 0.</param>
public sealed record ParameterGroup(IReadOnlyList<Parameter> Parameters, double WeightDecay);
