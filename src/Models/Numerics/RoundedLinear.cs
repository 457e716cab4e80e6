using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The product of bfloat16 matrices computed in float32 and rounded once: y = round(x Wᵀ + b), with the same for both
/// gradients. What a bfloat16 kernel with float32 accumulation gives, up to the order of summation.
/// </summary>
internal sealed class RoundedLinear : autograd.SingleTensorFunction<RoundedLinear>
{
    private const string Wanted = "wanted";

    /// <inheritdoc/>
    public override string Name => nameof(RoundedLinear);

    /// <summary>Computes x Wᵀ + b; x [..., in], weight [out, in], bias [out] or null, all bfloat16; gives [..., out].</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias) =>
        is_grad_enabled() && (input.requires_grad || weight.requires_grad || bias is { requires_grad: true })
            ? bias is null ? apply(input, weight) : apply(input, weight, bias)
            : Product(input, weight, bias);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var input = (Tensor)arguments[0];
        var weight = (Tensor)arguments[1];
        Tensor? bias = arguments.Length > 2 ? (Tensor)arguments[2] : null;

        // A frozen weight needs no gradient, and so the input need not be kept: what makes training an adapter cheap.
        context.save_for_backward(weight.requires_grad ? [weight, input] : [weight]);
        context.save_data(Wanted, new WantedGradients(input.requires_grad, weight.requires_grad, bias is not null, bias is { requires_grad: true }));
        return Product(input, weight, bias);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        var wanted = (WantedGradients)context.get_data(Wanted);
        List<Tensor> saved = context.get_saved_variables();
        using Tensor weight = saved[0];
        using Tensor? input = wanted.Weight ? saved[1] : null;
        long inWidth = weight.shape[1], outWidth = weight.shape[0];
        using Tensor wideGradient = gradient.to_type(ScalarType.Float32);
        using Tensor rows = wideGradient.reshape(-1, outWidth);

        Tensor? inputGradient = null, weightGradient = null, biasGradient = null;
        if (wanted.Input)
        {
            using Tensor wideWeight = weight.to_type(ScalarType.Float32);
            using Tensor product = rows.matmul(wideWeight);
            using Tensor rounded = product.to_type(ScalarType.BFloat16);
            inputGradient = rounded.reshape([.. gradient.shape[..^1], inWidth]);
        }

        if (input is not null)
        {
            using Tensor wideInput = input.to_type(ScalarType.Float32);
            using Tensor inputRows = wideInput.reshape(-1, inWidth);
            using Tensor transposed = rows.t();
            using Tensor product = transposed.matmul(inputRows);
            weightGradient = product.to_type(ScalarType.BFloat16);
        }

        if (wanted.Bias)
        {
            using Tensor sum = rows.sum(dim: 0);
            biasGradient = sum.to_type(ScalarType.BFloat16);
        }

        // A null stands for a gradient that nobody asked for.
        return wanted.HasBias ? [inputGradient!, weightGradient!, biasGradient!] : [inputGradient!, weightGradient!];
    }

    private static Tensor Product(Tensor input, Tensor weight, Tensor? bias)
    {
        using Tensor wideInput = input.to_type(ScalarType.Float32);
        using Tensor wideWeight = weight.to_type(ScalarType.Float32);
        using Tensor? wideBias = bias?.to_type(ScalarType.Float32);
        using Tensor product = nn.functional.linear(wideInput, wideWeight, wideBias);
        return product.to_type(ScalarType.BFloat16);
    }

    /// <summary>Which of the inputs want a gradient.</summary>
    private sealed record WantedGradients(bool Input, bool Weight, bool HasBias, bool Bias);
}
