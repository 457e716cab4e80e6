using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The cross entropy of a projection, <c>CrossEntropy(x Wᵀ + b)</c>, that never holds the scores of all rows: of some rows at a time they are computed, turned
/// into gradients in place and given up. With a vocabulary of 50,000 the scores and what is derived from them are otherwise most of the memory of a training step.
/// </summary>
/// <remarks>
/// The gradients are computed with the loss, while the scores are there, and scaled by the gradient of the loss when it comes. Products follow
/// <see cref="BFloat16Compute"/>; exponentials, sums and the weights' gradient over chunks are in float32.
/// </remarks>
internal sealed class ChunkedCrossEntropy : GradientFunction<ChunkedCrossEntropy>
{
    /// <summary>Scores that are held at once.</summary>
    private const long ScoresAtOnce = 1 << 24;

    private const string WantedKey = "wanted";

    /// <summary>The sum of the rows' losses, divided by a number.</summary>
    /// <param name="hidden">x, <c>[rows, in]</c>.</param>
    /// <param name="weight">W, <c>[classes, in]</c>.</param>
    /// <param name="bias">b, <c>[classes]</c>, or null.</param>
    /// <param name="labels">The class of every row.</param>
    /// <param name="divisor">What the sum is divided by: the number of rows for their mean.</param>
    /// <param name="labelSmoothing">The part of the probability that is spread over all classes, from 0 to 1.</param>
    /// <param name="rowsAtOnce">The rows whose scores are held at once; what suits the number of classes if null.</param>
    /// <returns>A scalar, Float32.</returns>
    public static Tensor Apply(Tensor hidden, Tensor weight, Tensor? bias, long[] labels, double divisor, double labelSmoothing = 0, long? rowsAtOnce = null)
    {
        bool grows = is_grad_enabled();
        var wanted = new Wanted(
            grows && hidden.requires_grad, grows && weight.requires_grad, grows && bias is { requires_grad: true },
            labels, divisor, labelSmoothing, rowsAtOnce ?? Math.Max(1, ScoresAtOnce / weight.shape[0]));
        return wanted.Hidden || wanted.Weight || wanted.Bias ? Record([wanted, hidden, weight, bias!]) : Compute(wanted, hidden, weight, bias).Loss;
    }

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        var wanted = (Wanted)arguments[0];
        (Tensor loss, Tensor? hidden, Tensor? weight, Tensor? bias) = Compute(wanted, (Tensor)arguments[1], (Tensor)arguments[2], (Tensor?)arguments[3]);
        context.save_data(WantedKey, wanted);
        context.save_for_backward([hidden!, weight!, bias!]);
        return loss;
    }

    /// <inheritdoc/>
    protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        float factor = gradient.item<float>();
        List<Tensor> saved = context.get_saved_variables();
        Tensor none = null!;
        return [none, .. saved.Select(tensor => tensor is null || factor == 1 ? tensor! : Scaled(tensor, factor))];
    }

    private static Tensor Scaled(Tensor tensor, float factor)
    {
        using (tensor) return tensor * factor;
    }

    private static (Tensor Loss, Tensor? Hidden, Tensor? Weight, Tensor? Bias) Compute(Wanted wanted, Tensor hidden, Tensor weight, Tensor? bias)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        bool isNative = weight.dtype != ScalarType.BFloat16 || BFloat16Compute.IsNative(weight.device);
        ScalarType type = isNative ? weight.dtype : ScalarType.Float32;
        (Tensor inputs, Tensor matrix, Tensor? offsets) = (hidden.to(type), weight.to(type), bias?.to(type));
        (long rows, long step) = (wanted.Labels.Length, wanted.RowsAtOnce);
        double? gradientScale = wanted.Hidden || wanted.Weight || wanted.Bias ? 1 / wanted.Divisor : null;
        Tensor? hiddenGradient = wanted.Hidden ? empty_like(hidden) : null;
        Tensor? biasGradient = wanted.Bias ? zeros(weight.shape[0], dtype: type == ScalarType.BFloat16 ? ScalarType.Float32 : type, device: weight.device) : null;
        Tensor? weightGradient = null;
        double sum = 0;
        for (long start = 0; start < rows; start += step)
        {
            using var chunk = NewDisposeScope();
            long count = Math.Min(step, rows - start);
            Tensor some = inputs.narrow(0, start, count);
            Tensor scores = nn.functional.linear(some, matrix, offsets);
            sum += CrossEntropyRows.Compute(scores, wanted.Labels.AsMemory((int)start, (int)count), wanted.LabelSmoothing, gradientScale).Sum();
            hiddenGradient?.narrow(0, start, count).copy_(scores.matmul(matrix));
            if (wanted.Weight) weightGradient = Add(weightGradient, scores.t(), some, isOnly: rows <= step);
            biasGradient?.add_(scores.sum(0, type: biasGradient.dtype));
        }

        if (wanted.Weight && weightGradient is null) weightGradient = zeros_like(weight); // no rows
        return (
            tensor((float)(sum / wanted.Divisor), device: hidden.device).MoveToOuterDisposeScope(), hiddenGradient?.MoveToOuterDisposeScope(),
            weightGradient?.to(weight.dtype).MoveToOuterDisposeScope(), biasGradient?.to(weight.dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Adds a chunk's product, in float32 where there are several.</summary>
    private static Tensor Add(Tensor? total, Tensor left, Tensor right, bool isOnly)
    {
        if (total is not null) return left.dtype == total.dtype ? total.addmm_(left, right) : total.add_(left.matmul(right));
        Tensor product = left.matmul(right);
        return (isOnly || product.dtype != ScalarType.BFloat16 ? product : product.to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    /// <summary>What a loss is computed of, and which inputs want a gradient.</summary>
    private sealed record Wanted(bool Hidden, bool Weight, bool Bias, long[] Labels, double Divisor, double LabelSmoothing, long RowsAtOnce);
}
