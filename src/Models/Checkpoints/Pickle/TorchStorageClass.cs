using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>What stands for a class of storages.</summary>
/// <param name="DType">The element type, or null for one of bytes.</param>
internal sealed record TorchStorageClass(ScalarType? DType);
