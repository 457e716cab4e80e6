using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Where and how a model's weights are kept, and what its attention is computed by.</summary>
/// <param name="DType">The element type, or null for the stored one.</param>
/// <param name="Device">The device, or null for the CPU.</param>
/// <param name="Attention">The attention implementation.</param>
/// <param name="Seed">The seed of weights that no checkpoint gives.</param>
/// <param name="IgnoreMismatchedSizes">Whether weights of the decoder may be initialised where the checkpoint does not have them, or has them in another shape.</param>
internal sealed record WeightPlacement(ScalarType? DType, Device? Device, AttentionImplementation Attention, long Seed, bool IgnoreMismatchedSizes = false);
