using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A block of elements that tensors of a file are views of.</summary>
/// <param name="Key">What the file calls it.</param>
/// <param name="DType">Its element type, or null where the tensors say it: their numbers of elements are then bytes.</param>
/// <param name="Count">The number of its elements.</param>
internal sealed record TorchStorage(string Key, ScalarType? DType, long Count)
{
    /// <summary>The number of its bytes, if there can be so many.</summary>
    public long? ByteCount => Count <= long.MaxValue / ElementSize ? Count * ElementSize : null;

    /// <summary>The bytes of an element.</summary>
    public int ElementSize => DType is { } type ? SafetensorsType.SizeOf(type) : 1;
}
