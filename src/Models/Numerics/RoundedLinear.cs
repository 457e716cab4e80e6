using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The product of bfloat16 matrices computed in float32 and rounded once: y = round(x Wᵀ + b), with the same for both
/// gradients. What a bfloat16 kernel with float32 accumulation gives, up to the order of summation.
/// </summary>
internal sealed class RoundedLinear : GradientFunction<RoundedLinear>
{
    private const string Wanted = "wanted";

    /// <summary>Fewer outputs at once are slower than fresh memory.</summary>
    private const long FewestOutputs = 256;

    /// <summary>Computes x Wᵀ + b; x [..., in], weight [out, in], bias [out] or null, all bfloat16; gives [..., out].</summary>
    public static Tensor Apply(Tensor input, Tensor weight, Tensor? bias) =>
        is_grad_enabled() && (input.requires_grad || weight.requires_grad || bias is { requires_grad: true })
            ? bias is null ? Record(input, weight) : Record(input, weight, bias)
            : Product(input, weight, bias);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
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
    protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        using var unrecorded = no_grad(); // also where gradients of gradients are asked for: there are none
        var wanted = (WantedGradients)context.get_data(Wanted);
        List<Tensor> saved = context.get_saved_variables();
        using Tensor weight = saved[0];
        using Tensor? input = wanted.Weight ? saved[1] : null;
        long inWidth = weight.shape[1], outWidth = weight.shape[0];
        using FloatBuffers buffers = FloatBuffers.Rent();
        Tensor rows = buffers.Widen(gradient, outWidth);

        Tensor? inputGradient = null, weightGradient = null, biasGradient = null;
        if (wanted.Input)
        {
            using Tensor rounded = Rounded(buffers.Matrix(rows.shape[0], inWidth), rows, buffers.Widen(weight, inWidth));
            inputGradient = rounded.reshape([.. gradient.shape[..^1], inWidth]);
        }

        if (input is not null)
        {
            using Tensor transposed = rows.t();
            weightGradient = Rounded(buffers.Matrix(outWidth, inWidth), transposed, buffers.Widen(input, inWidth));
        }

        if (wanted.Bias)
        {
            using Tensor sum = rows.sum(dim: 0);
            biasGradient = sum.to_type(ScalarType.BFloat16);
        }

        // A null stands for a gradient that nobody asked for.
        return wanted.HasBias ? [inputGradient!, weightGradient!, biasGradient!] : [inputGradient!, weightGradient!];
    }

    /// <summary>The product, some outputs after the other where all of them, or their weights, in float32 would need fresh memory: that of a vocabulary takes up to a third of the time.</summary>
    private static Tensor Product(Tensor input, Tensor weight, Tensor? bias)
    {
        using var unrecorded = no_grad();
        using FloatBuffers buffers = FloatBuffers.Rent();
        Tensor rows = buffers.Widen(input, weight.shape[1]);
        long outputs = weight.shape[0], atOnce = Math.Max(FewestOutputs, FloatBuffers.MostKept / Math.Max(1, Math.Max(rows.shape[0], rows.shape[1])));
        long[] shape = [.. input.shape[..^1], outputs];
        if (outputs <= atOnce)
        {
            using Tensor all = Outputs(rows, weight, bias);
            return all.reshape(shape);
        }

        using Tensor result = empty([rows.shape[0], outputs], ScalarType.BFloat16, input.device);
        for (long first = 0; first < outputs; first += atOnce)
        {
            long count = Math.Min(atOnce, outputs - first);
            using Tensor some = weight.narrow(0, first, count), target = result.narrow(1, first, count);
            using Tensor? added = bias?.narrow(0, first, count);
            using Tensor part = Outputs(rows, some, added);
            target.copy_(part);
        }

        return result.reshape(shape);
    }

    private static Tensor Outputs(Tensor rows, Tensor weight, Tensor? bias)
    {
        using FloatBuffers buffers = FloatBuffers.Rent();
        Tensor product = buffers.Matrix(rows.shape[0], weight.shape[0]);
        if (bias is not null) product.copy_(bias);
        using Tensor transposed = buffers.Widen(weight, weight.shape[1]).t();
        return Rounded(product, rows, transposed, keeps: bias is not null);
    }

    /// <summary>left · right, computed in a matrix, added to what is in it if that is to be kept, and rounded to a new one.</summary>
    private static Tensor Rounded(Tensor product, Tensor left, Tensor right, bool keeps = false)
    {
        using Tensor sum = product.addmm_(left, right, beta: keeps ? 1 : 0);
        return sum.to_type(ScalarType.BFloat16);
    }

    /// <summary>Which of the inputs want a gradient.</summary>
    private sealed record WantedGradients(bool Input, bool Weight, bool HasBias, bool Bias);
}
