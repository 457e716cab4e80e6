using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The cross entropy of rows of scores, and its gradient in the place of the scores: three passes over each row, in float32, whatever the scores are.</summary>
/// <remarks>
/// With z the scores of a row, y its label, V their number and s the smoothing: loss = log Σ eᶻ − (1 − s) z_y − s/V Σ z and
/// ∂loss/∂z_j = eᶻ_j / Σ eᶻ − (1 − s) [j = y] − s/V; see torch.nn.CrossEntropyLoss.
/// </remarks>
internal static class CrossEntropyRows
{
    /// <summary>The loss of every row.</summary>
    /// <param name="scores"><c>[rows, classes]</c>, contiguous; where a gradient is wanted, they become it.</param>
    /// <param name="labels">The label of every row.</param>
    /// <param name="smoothing">The part of the probability that is spread over all classes.</param>
    /// <param name="gradientScale">What gradients are multiplied with, or null where none are wanted.</param>
    public static double[] Compute(Tensor scores, ReadOnlyMemory<long> labels, double smoothing, double? gradientScale)
    {
        if (scores.device_type != DeviceType.CPU || scores.dtype is not (ScalarType.Float32 or ScalarType.BFloat16)) return ByOperators(scores, labels, smoothing, gradientScale);
        var losses = new double[labels.Length];
        int width = (int)scores.shape[1];
        nint address = TensorSpans.AddressOf(scores);
        bool isFloat32 = scores.dtype == ScalarType.Float32;
        TensorSpans.ForEach(labels.Length, row => losses[row] = isFloat32
            ? Row<float>(address, row, width, (int)labels.Span[(int)row], smoothing, gradientScale)
            : Row<ushort>(address, row, width, (int)labels.Span[(int)row], smoothing, gradientScale));
        return losses;
    }

    /// <summary>The same by tensor operators: what other devices run, and the twin that tests compare the rows with.</summary>
    internal static double[] ByOperators(Tensor scores, ReadOnlyMemory<long> labels, double smoothing, double? gradientScale)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Tensor wide = scores.to(scores.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32);
        Tensor index = tensor(labels.ToArray(), device: scores.device).unsqueeze(1);
        Tensor total = wide.logsumexp(-1, keepdim: true);
        Tensor losses = total - (wide.gather(1, index) * (1 - smoothing)) - (wide.mean([1], keepdim: true) * smoothing);
        if (gradientScale is { } scale)
        {
            Tensor gradient = (wide - total).exp_().sub_(smoothing / scores.shape[1]);
            gradient.scatter_add_(1, index, full_like(losses, smoothing - 1));
            scores.copy_(gradient.mul_(scale));
        }

        return losses.to(ScalarType.Float64).cpu().data<double>().ToArray();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe double Row<T>(nint address, long row, int width, int label, double smoothing, double? gradientScale)
        where T : unmanaged
    {
        T* scores = (T*)address + (row * width);
        Vector256<float> highest = Vector256.Create(float.NegativeInfinity), sum = default, exponentials = default;
        int whole = width - (width % FloatLanes.Count);
        for (int i = 0; i < whole; i += FloatLanes.Count) highest = Vector256.Max(highest, FloatLanes.LoadAs(scores + i, FloatLanes.Count)); // not a number wins
        float largest = float.NegativeInfinity;
        for (int lane = 0; lane < FloatLanes.Count; lane++) largest = MathF.Max(largest, highest[lane]);
        for (int i = whole; i < width; i++) largest = MathF.Max(largest, FloatLanes.LoadAs(scores + i, 1)[0]);

        for (int i = 0; i < whole; i += FloatLanes.Count)
        {
            Vector256<float> value = FloatLanes.LoadAs(scores + i, FloatLanes.Count);
            sum += value;
            exponentials += FloatLanes.Exp(value - Vector256.Create(largest));
        }

        double scoreSum = Vector256.Sum(sum), exponentialSum = Vector256.Sum(exponentials);
        for (int i = whole; i < width; i++)
        {
            float value = FloatLanes.LoadAs(scores + i, 1)[0];
            scoreSum += value;
            exponentialSum += MathF.Exp(value - largest);
        }

        double logarithm = largest + Math.Log(exponentialSum);
        float labelScore = FloatLanes.LoadAs(scores + label, 1)[0];
        double loss = logarithm - ((1 - smoothing) * labelScore) - (smoothing / width * scoreSum);
        if (gradientScale is not { } scale) return loss;

        double labelGradient = Math.Exp(labelScore - logarithm) - (1 - smoothing) - (smoothing / width);
        float factor = (float)(scale / exponentialSum), spread = (float)(scale * smoothing / width);
        for (int i = 0; i < whole; i += FloatLanes.Count) Differentiate(scores + i, largest, factor, spread, FloatLanes.Count);
        if (whole < width) Differentiate(scores + whole, largest, factor, spread, width - whole);

        FloatLanes.StoreAs(Vector256.Create((float)(labelGradient * scale)), scores + label, 1);
        return loss;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Differentiate<T>(T* scores, float largest, float factor, float spread, int count)
        where T : unmanaged
    {
        Vector256<float> probability = FloatLanes.Exp(FloatLanes.LoadAs(scores, count) - Vector256.Create(largest)) * factor;
        FloatLanes.StoreAs(probability - Vector256.Create(spread), scores, count);
    }
}
