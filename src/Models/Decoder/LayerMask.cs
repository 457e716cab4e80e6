using TorchSharp;

namespace MLComponents.Models;

/// <summary>Which keys the queries of a layer see.</summary>
/// <param name="Additive">
/// Added to the scores, <c>[batch or 1, 1, queries, keys]</c>: 0, or the least finite number where a query does not see a key; null if nothing is hidden
/// but by <paramref name="IsCausal"/>.
/// </param>
/// <param name="IsCausal">Whether query i sees only keys 0 to i; queries and keys are then equally many.</param>
internal readonly record struct LayerMask(torch.Tensor? Additive, bool IsCausal);
