using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A norm over the last dimension.</summary>
internal abstract class Norm : WeightedModule
{
    private protected Norm(string name, int size, ScalarType dtype, Device device)
        : base(name)
    {
        Weight = new Parameter(empty([size], dtype, device));
        register_parameter("weight", Weight);
    }

    /// <summary><c>[size]</c>.</summary>
    public override Parameter Weight { get; }

    public static Norm Create(NormKind kind, int size, double epsilon, ScalarType dtype, Device device) => kind switch
    {
        NormKind.RootMeanSquare => new RootMeanSquareNorm(size, epsilon, dtype, device),
        NormKind.Layer => new LayerNorm(size, epsilon, dtype, device),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a norm."),
    };
}

/// <summary>
/// <c>w · x / sqrt(mean(x²) + ε)</c>; the mean and the quotient in single precision whatever the input is, and rounded, as in the reference, before w is multiplied.
/// </summary>
internal sealed class RootMeanSquareNorm(int size, double epsilon, ScalarType dtype, Device device) : Norm(nameof(RootMeanSquareNorm), size, dtype, device)
{
    /// <inheritdoc/>
    public override Tensor Compute(Tensor input, Tensor weight, Tensor? bias)
    {
        if (TensorRows.Serves(input) && input.dtype == weight.dtype) return FusedRootMeanSquare.Apply(input, weight, epsilon);
        using var scope = NewDisposeScope();
        Tensor x = input.dtype == ScalarType.Float64 ? input : input.to(ScalarType.Float32);
        Tensor scale = x.square().mean([-1], keepdim: true).add_(epsilon).rsqrt_();
        return ((x * scale).to(input.dtype) * weight).MoveToOuterDisposeScope();
    }
}

/// <summary><c>w · (x - mean(x)) / sqrt(var(x) + ε) + b</c>.</summary>
internal sealed class LayerNorm : Norm
{
    private readonly double _epsilon;
    private readonly long[] _shape;

    public LayerNorm(int size, double epsilon, ScalarType dtype, Device device)
        : base(nameof(LayerNorm), size, dtype, device)
    {
        _epsilon = epsilon;
        _shape = [size];
        Bias = new Parameter(empty([size], dtype, device));
        register_parameter("bias", Bias);
    }

    /// <inheritdoc/>
    public override Parameter Bias { get; }

    /// <inheritdoc/>
    public override Tensor Compute(Tensor input, Tensor weight, Tensor? bias) => nn.functional.layer_norm(input, _shape, weight, bias, _epsilon);
}
