using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A norm over the last dimension.</summary>
internal abstract class Norm : nn.Module<Tensor, Tensor>
{
    private protected Norm(string name, int size, ScalarType dtype, Device device)
        : base(name)
    {
        Weight = new Parameter(empty([size], dtype, device));
        register_parameter("weight", Weight);
    }

    /// <summary><c>[size]</c>.</summary>
    public Parameter Weight { get; }

    /// <summary><c>[size]</c>, or null for a norm without one.</summary>
    public virtual Parameter? Bias => null;

    public static Norm Create(NormKind kind, int size, double epsilon, ScalarType dtype, Device device) => kind switch
    {
        NormKind.RootMeanSquare => new RootMeanSquareNorm(size, epsilon, dtype, device),
        NormKind.Layer => new LayerNorm(size, epsilon, dtype, device),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a norm."),
    };

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // Registered by the constructors.
    }
}

/// <summary>
/// <c>w · x / sqrt(mean(x²) + ε)</c>; the mean and the quotient in single precision whatever the input is, and rounded, as in the reference, before w is multiplied.
/// </summary>
internal sealed class RootMeanSquareNorm(int size, double epsilon, ScalarType dtype, Device device) : Norm(nameof(RootMeanSquareNorm), size, dtype, device)
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor x = input.dtype == ScalarType.Float64 ? input : input.to(ScalarType.Float32);
        Tensor scale = x.square().mean([-1], keepdim: true).add_(epsilon).rsqrt_();
        return ((x * scale).to(input.dtype) * Weight).MoveToOuterDisposeScope();
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
    public override Tensor forward(Tensor input) => nn.functional.layer_norm(input, _shape, Weight, Bias, _epsilon);
}
