using TorchSharp;

namespace MLComponents.Models;

/// <summary>What the parts of a decoder are built from: the configuration, the names, and where and how the weights are stored.</summary>
internal sealed record DecoderContext(
    DecoderConfig Config, TensorNames Names, AttentionImplementation Attention, torch.ScalarType DType, torch.Device Device)
{
    public Linear Linear(int inputSize, int outputSize, bool hasBias) => new(inputSize, outputSize, hasBias, DType, Device);

    /// <summary>A projection to so many heads.</summary>
    public Linear QueryKeyValue(int heads) => Linear(Config.HiddenSize, heads * Config.HeadSize, Config.QueryKeyValueBias);

    /// <summary>A norm of hidden states.</summary>
    public Norm Norm() => Models.Norm.Create(Config.Norm, Config.HiddenSize, Config.NormEpsilon, DType, Device);

    /// <summary>A norm of single queries or keys.</summary>
    public Norm HeadNorm() => Models.Norm.Create(NormKind.Layer, Config.HeadSize, Config.NormEpsilon, DType, Device);
}
