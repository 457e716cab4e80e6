using TorchSharp;

namespace MLComponents.Models;

/// <summary>One tensor of a safetensors file: what its header says about it.</summary>
/// <param name="Name">The tensor's key.</param>
/// <param name="DType">The element type it is stored in.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="Begin">The first byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last one, counted from the end of the header.</param>
public sealed record SafetensorsEntry(string Name, torch.ScalarType DType, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>The number of bytes the tensor's elements take.</summary>
    public long ByteCount => End - Begin;
}
