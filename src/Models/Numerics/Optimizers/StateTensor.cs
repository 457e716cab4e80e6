using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>What an optimizer remembers of one parameter: a tensor that starts at zero.</summary>
/// <param name="Name">What PyTorch calls it.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="DType">Its element type.</param>
internal sealed record StateTensor(string Name, long[] Shape, ScalarType DType)
{
    /// <summary>Float32 numbers, one for each of the parameter.</summary>
    public static StateTensor Float32Like(string name, Tensor parameter) => new(name, parameter.shape, ScalarType.Float32);

    /// <summary>The memory that it takes.</summary>
    public long Bytes => Shape.Aggregate(DType == ScalarType.Byte ? 1L : sizeof(float), (product, size) => product * size);
}
