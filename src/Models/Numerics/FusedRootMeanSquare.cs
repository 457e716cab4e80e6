using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// <c>w · x / sqrt(mean(x²) + ε)</c> in one pass over each row, its gradients in another. Of a training step it keeps the input and a number for each row, where
/// separate operators keep the input twice more, once in single precision.
/// </summary>
/// <remarks>
/// With s = 1 / sqrt(mean(x²) + ε) and x̂ = s x: y = w round(x̂), as in the reference; ∂x = s (w ∂y − x̂ mean(x̂ w ∂y)), ∂w = Σ over rows of x̂ ∂y, in single
/// precision and rounded once.
/// </remarks>
internal sealed class FusedRootMeanSquare : GradientFunction<FusedRootMeanSquare>
{
    private const string EpsilonKey = "epsilon";

    /// <summary>The norm over the last dimension.</summary>
    /// <param name="input"><c>[..., size]</c>, Float32 or BFloat16 in CPU memory.</param>
    /// <param name="weight"><c>[size]</c>, of the same type.</param>
    /// <param name="epsilon">ε.</param>
    public static Tensor Apply(Tensor input, Tensor weight, double epsilon)
    {
        if (TensorRows.NeedsGradient(input, weight)) return Record(epsilon, input, weight);
        using var scope = NewDisposeScope();
        return Forward(input.contiguous(), weight, epsilon).Output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        using var scope = NewDisposeScope();
        (double epsilon, Tensor input, Tensor weight) = ((double)arguments[0], ((Tensor)arguments[1]).contiguous(), (Tensor)arguments[2]);
        (Tensor output, Tensor scales) = Forward(input, weight, epsilon);
        context.save_data(EpsilonKey, epsilon);
        context.save_for_backward([input.MoveToOuterDisposeScope(), weight, scales.MoveToOuterDisposeScope()]); // taken when this returns
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override unsafe List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        List<Tensor> saved = context.get_saved_variables();
        (Tensor input, Tensor weight, Tensor scales, Tensor slope) = (saved[0], saved[1], saved[2], gradient.contiguous());
        Tensor inputGradient = empty_like(input);
        int width = (int)input.shape[^1];
        long rows = input.NumberOfElements / width;
        var sums = new float[TensorRows.Groups(rows, width) * width];
        (nint x, nint w, nint s, nint dy, nint dx) = (
            TensorSpans.AddressOf(input), TensorSpans.AddressOf(weight), TensorSpans.AddressOf(scales), TensorSpans.AddressOf(slope), TensorSpans.AddressOf(inputGradient));
        bool isFloat32 = input.dtype == ScalarType.Float32;
        fixed (float* start = sums)
        {
            nint dw = (nint)start;
            TensorRows.ForEachGroup(rows, width, (group, first, end) =>
            {
                for (long row = first; row < end; row++)
                {
                    float* total = (float*)dw + (group * width);
                    if (isFloat32) Differentiate((float*)x + (row * width), (float*)w, ((float*)s)[row], (float*)dy + (row * width), (float*)dx + (row * width), total, width);
                    else Differentiate((ushort*)x + (row * width), (ushort*)w, ((float*)s)[row], (ushort*)dy + (row * width), (ushort*)dx + (row * width), total, width);
                }
            });
        }

        Tensor weightGradient = tensor(sums).view(-1, width).sum(dim: 0).to(weight.dtype);
        return [null!, inputGradient.MoveToOuterDisposeScope(), weightGradient.MoveToOuterDisposeScope()];
    }

    private static unsafe (Tensor Output, Tensor Scales) Forward(Tensor input, Tensor weight, double epsilon)
    {
        int width = (int)input.shape[^1];
        long rows = input.NumberOfElements / width;
        Tensor output = empty_like(input), scales = empty(rows, dtype: ScalarType.Float32);
        (nint x, nint w, nint s, nint y) = (TensorSpans.AddressOf(input), TensorSpans.AddressOf(weight), TensorSpans.AddressOf(scales), TensorSpans.AddressOf(output));
        bool isFloat32 = input.dtype == ScalarType.Float32;
        TensorRows.ForEachGroup(rows, width, (_, first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                ((float*)s)[row] = isFloat32
                    ? Normalize((float*)x + (row * width), (float*)w, (float*)y + (row * width), width, epsilon)
                    : Normalize((ushort*)x + (row * width), (ushort*)w, (ushort*)y + (row * width), width, epsilon);
            }
        });
        return (output, scales);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe float Normalize<T>(T* x, T* weight, T* y, int width, double epsilon)
        where T : unmanaged
    {
        Vector256<float> squares = default;
        int whole = width - (width % FloatLanes.Count), rest = width - whole;
        for (int i = 0; i < whole; i += FloatLanes.Count) squares = AddSquares(squares, x + i, FloatLanes.Count);
        if (rest > 0) squares = AddSquares(squares, x + whole, rest);
        float scale = (float)(1 / Math.Sqrt((Vector256.Sum(squares) / (double)width) + epsilon));
        for (int i = 0; i < whole; i += FloatLanes.Count) Scale(x + i, weight + i, y + i, scale, FloatLanes.Count);
        if (rest > 0) Scale(x + whole, weight + whole, y + whole, scale, rest);
        return scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Differentiate<T>(T* x, T* weight, float scale, T* dy, T* dx, float* weightSums, int width)
        where T : unmanaged
    {
        Vector256<float> products = default;
        int whole = width - (width % FloatLanes.Count), rest = width - whole;
        for (int i = 0; i < whole; i += FloatLanes.Count) products = AddProducts(products, x + i, weight + i, scale, dy + i, weightSums + i, FloatLanes.Count);
        if (rest > 0) products = AddProducts(products, x + whole, weight + whole, scale, dy + whole, weightSums + whole, rest);
        float mean = Vector256.Sum(products) / width;
        for (int i = 0; i < whole; i += FloatLanes.Count) Subtract(x + i, weight + i, scale, dy + i, dx + i, mean, FloatLanes.Count);
        if (rest > 0) Subtract(x + whole, weight + whole, scale, dy + whole, dx + whole, mean, rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<float> AddSquares<T>(Vector256<float> squares, T* x, int count)
        where T : unmanaged
    {
        Vector256<float> value = FloatLanes.LoadAs(x, count);
        return squares + (value * value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Scale<T>(T* x, T* weight, T* y, float scale, int count)
        where T : unmanaged =>
        FloatLanes.StoreAs(FloatLanes.RoundAs<T>(FloatLanes.LoadAs(x, count) * scale) * FloatLanes.LoadAs(weight, count), y, count);

    /// <summary>Adds x̂ ∂y to the sums of the weight's gradient, and x̂ w ∂y to the row's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<float> AddProducts<T>(Vector256<float> products, T* x, T* weight, float scale, T* dy, float* weightSums, int count)
        where T : unmanaged
    {
        Vector256<float> share = FloatLanes.LoadAs(x, count) * scale * FloatLanes.LoadAs(dy, count);
        FloatLanes.Store(FloatLanes.Load(weightSums, count) + share, weightSums, count);
        return products + (share * FloatLanes.LoadAs(weight, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Subtract<T>(T* x, T* weight, float scale, T* dy, T* dx, float mean, int count)
        where T : unmanaged
    {
        Vector256<float> normed = FloatLanes.LoadAs(x, count) * scale;
        FloatLanes.StoreAs(((FloatLanes.LoadAs(dy, count) * FloatLanes.LoadAs(weight, count)) - (normed * mean)) * scale, dx, count);
    }
}
