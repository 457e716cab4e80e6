using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// y = x Wᵀ + b, with parameters named as in checkpoints (<c>weight</c> [out, in], <c>bias</c> [out] or absent). Every
/// matrix product of the decoder passes here, so that how bfloat16 is computed is chosen in one place.
/// </summary>
internal sealed class Linear : WeightedModule
{
    /// <summary>Creates a layer from x [..., inWidth] to [..., outWidth]; the weights are uninitialised.</summary>
    public Linear(long inWidth, long outWidth, bool hasBias, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(Linear))
    {
        Weight = new Parameter(empty(outWidth, inWidth, dtype: dtype, device: device));
        Bias = hasBias ? new Parameter(empty(outWidth, dtype: dtype, device: device)) : null;
        OwnsWeight = true;
        register_parameter("weight", Weight);
        if (Bias is not null) register_parameter("bias", Bias);
    }

    /// <summary>A layer that uses a weight which belongs to another module.</summary>
    /// <param name="sharedWeight">[out, in].</param>
    /// <param name="hasBias">Whether the layer has a bias of its own.</param>
    public Linear(Parameter sharedWeight, bool hasBias)
        : base(nameof(Linear))
    {
        Weight = sharedWeight;
        Bias = hasBias ? new Parameter(empty(sharedWeight.shape[0], dtype: sharedWeight.dtype, device: sharedWeight.device)) : null;
        if (Bias is not null) register_parameter("bias", Bias);
    }

    /// <summary>The matrix, [out, in].</summary>
    public override Parameter Weight { get; }

    /// <summary>Whether the matrix is this layer's own, not another module's.</summary>
    public bool OwnsWeight { get; }

    /// <summary>The bias, [out], or null.</summary>
    public override Parameter? Bias { get; }

    /// <inheritdoc/>
    public override Tensor Compute(Tensor input, Tensor weight, Tensor? bias) => Apply(input, weight, bias);

    /// <summary>The product itself, for matrices that are not a layer's.</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias) =>
        weight.dtype == ScalarType.BFloat16 && !BFloat16Compute.IsNative(weight.device)
            ? RoundedLinear.Apply(input, weight, bias)
            : nn.functional.linear(input, weight, bias);
}
