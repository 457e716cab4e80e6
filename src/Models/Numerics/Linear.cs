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
        OwnsWeight = true;
        register_parameter(nameof(weight), weight);
        if (bias is not null) register_parameter(nameof(bias), bias);
    }

    /// <summary>A layer that uses a weight which belongs to another module.</summary>
    /// <param name="sharedWeight">[out, in].</param>
    /// <param name="hasBias">Whether the layer has a bias of its own.</param>
    public Linear(Parameter sharedWeight, bool hasBias)
        : base(nameof(Linear))
    {
        weight = sharedWeight;
        bias = hasBias ? new Parameter(empty(sharedWeight.shape[0], dtype: sharedWeight.dtype, device: sharedWeight.device)) : null;
        if (bias is not null) register_parameter(nameof(bias), bias);
    }

    /// <summary>The matrix, [out, in].</summary>
    public Parameter weight { get; }

    /// <summary>Whether the matrix is this layer's own, not another module's.</summary>
    public bool OwnsWeight { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? bias { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) =>
        weight.dtype == ScalarType.BFloat16 && !BFloat16Compute.IsNative(weight.device)
            ? RoundedLinear.Apply(input, weight, bias)
            : nn.functional.linear(input, weight, bias);

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // Registered by the constructor: the names of a property's fields are not those of checkpoints.
    }
}
