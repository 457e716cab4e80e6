using TorchSharp;

namespace MLComponents.Models;

/// <summary>One tensor of a checkpoint: what its file says about it.</summary>
/// <param name="Name">The tensor's key.</param>
/// <param name="DType">The element type it is stored in.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
public sealed record StoredTensor(string Name, torch.ScalarType DType, IReadOnlyList<long> Shape)
{
    /// <summary>The number of bytes the tensor's elements take.</summary>
    public long ByteCount => Shape.Aggregate((long)SafetensorsType.SizeOf(DType), static (product, dimension) => product * dimension);

    /// <summary>Where its first element lies, in bytes from the start of the content.</summary>
    internal long Begin { get; init; }

    /// <summary>The elements from one to the next along each dimension, or null where the elements follow each other in order.</summary>
    internal IReadOnlyList<long>? Strides { get; init; }
}
