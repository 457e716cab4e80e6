using TorchSharp;

namespace MLComponents.Models;

/// <summary>What the parts of a decoder are built from: the configuration, the names, and where and how the weights are stored.</summary>
internal sealed record DecoderContext(
    DecoderConfig Config, TensorNames Names, AttentionImplementation Attention, torch.ScalarType DType, torch.Device Device)
{
    public Linear Linear(int inputSize, int outputSize, bool hasBias) => new(inputSize, outputSize, hasBias, DType, Device);

    public Norm Norm(int size) => Models.Norm.Create(Config.Norm, size, Config.NormEpsilon, DType, Device);
}
