using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// y = x Wᵀ + b, with parameters named as in checkpoints (<c>weight</c> [out, in], <c>bias</c> [out] or absent). Every
/// matrix product of the decoder passes here, so that how bfloat16 is computed is chosen in one place.
/// </summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates a layer from x [..., inWidth] to [..., outWidth]; the weights are uninitialised.</summary>
    public Linear(long inWidth, long outWidth, bool hasBias, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : base(nameof(Linear))
    {
        weight = new Parameter(empty(outWidth, inWidth, dtype: dtype, device: device));
        bias = hasBias ? new Parameter(empty(outWidth, dtype: dtype, device: device)) : null;
        register_parameter(nameof(weight), weight);
        if (bias is not null) register_parameter(nameof(bias), bias);
    }

    /// <summary>The matrix, [out, in].</summary>
    public Parameter weight { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? bias { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Apply(input, weight, bias);

    /// <summary>The product itself, for a layer that shares another one's weight.</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias) =>
        weight.dtype == ScalarType.BFloat16 && !BFloat16Compute.IsNative(weight.device)
            ? RoundedLinear.Apply(input, weight, bias)
            : nn.functional.linear(input, weight, bias);

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // Registered by the constructor: the names of a property's fields are not those of checkpoints.
    }
}
