using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// <c>silu(g) · u</c> in one pass, its gradients in another. Of a training step it keeps its two inputs, where separate operators keep silu(g) as well.
/// </summary>
/// <remarks>
/// silu(g) = g σ(g), rounded before it is multiplied as in the reference; ∂u = ∂y silu(g), ∂g = ∂y u σ(g) (1 + g (1 − σ(g))), in single precision and rounded once.
/// </remarks>
internal sealed class FusedSiluGate : GradientFunction<FusedSiluGate>
{
    /// <summary>Gate and upward projection apart.</summary>
    /// <param name="gate">g, <c>[..., size]</c>, Float32 or BFloat16 in CPU memory.</param>
    /// <param name="up">u, as <paramref name="gate"/>.</param>
    public static Tensor Apply(Tensor gate, Tensor up) => Run(gate, up);

    /// <summary>Gate and upward projection side by side.</summary>
    /// <param name="both">g, then u, <c>[..., 2 · size]</c>.</param>
    /// <returns><c>[..., size]</c>.</returns>
    public static Tensor Apply(Tensor both) => Run(both);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        using var scope = NewDisposeScope();
        List<Tensor> inputs = [.. arguments.Select(argument => ((Tensor)argument).contiguous().MoveToOuterDisposeScope())];
        context.save_for_backward(inputs); // taken when this returns
        return Forward(inputs).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override unsafe List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var pair = new Pair(context.get_saved_variables());
        var gradients = new Pair([.. pair.Tensors.Select(input => empty_like(input))]);
        Tensor slope = gradient.contiguous();
        nint dy = TensorSpans.AddressOf(slope);
        TensorRows.ForEachGroup(pair.Rows, pair.Width, (_, first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                if (pair.IsFloat32) Differentiate(pair.Gate<float>(row), pair.Up<float>(row), (float*)dy + (row * pair.Width), gradients.Gate<float>(row), gradients.Up<float>(row), pair.Width);
                else Differentiate(pair.Gate<ushort>(row), pair.Up<ushort>(row), (ushort*)dy + (row * pair.Width), gradients.Gate<ushort>(row), gradients.Up<ushort>(row), pair.Width);
            }
        });
        return [.. gradients.Tensors.Select(tensor => tensor.MoveToOuterDisposeScope())];
    }

    private static Tensor Run(params Tensor[] inputs)
    {
        if (TensorRows.NeedsGradient(inputs)) return Record([.. inputs]);
        using var scope = NewDisposeScope();
        return Forward([.. inputs.Select(input => input.contiguous())]).MoveToOuterDisposeScope();
    }

    private static unsafe Tensor Forward(List<Tensor> inputs)
    {
        var pair = new Pair(inputs);
        Tensor output = empty([.. inputs[0].shape[..^1], pair.Width], inputs[0].dtype);
        nint y = TensorSpans.AddressOf(output);
        TensorRows.ForEachGroup(pair.Rows, pair.Width, (_, first, end) =>
        {
            for (long row = first; row < end; row++)
            {
                if (pair.IsFloat32) Multiply(pair.Gate<float>(row), pair.Up<float>(row), (float*)y + (row * pair.Width), pair.Width);
                else Multiply(pair.Gate<ushort>(row), pair.Up<ushort>(row), (ushort*)y + (row * pair.Width), pair.Width);
            }
        });
        return output;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Multiply<T>(T* gate, T* up, T* y, int width)
        where T : unmanaged
    {
        int i = 0;
        for (; i <= width - FloatLanes.Count; i += FloatLanes.Count) MultiplySome(gate + i, up + i, y + i, FloatLanes.Count);
        if (i < width) MultiplySome(gate + i, up + i, y + i, width - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Differentiate<T>(T* gate, T* up, T* dy, T* gateGradient, T* upGradient, int width)
        where T : unmanaged
    {
        int i = 0;
        for (; i <= width - FloatLanes.Count; i += FloatLanes.Count) DifferentiateSome(gate + i, up + i, dy + i, gateGradient + i, upGradient + i, FloatLanes.Count);
        if (i < width) DifferentiateSome(gate + i, up + i, dy + i, gateGradient + i, upGradient + i, width - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void MultiplySome<T>(T* gate, T* up, T* y, int count)
        where T : unmanaged
    {
        Vector256<float> g = FloatLanes.LoadAs(gate, count);
        FloatLanes.StoreAs(FloatLanes.RoundAs<T>(g * Sigmoid(g)) * FloatLanes.LoadAs(up, count), y, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void DifferentiateSome<T>(T* gate, T* up, T* dy, T* gateGradient, T* upGradient, int count)
        where T : unmanaged
    {
        Vector256<float> g = FloatLanes.LoadAs(gate, count), sigmoid = Sigmoid(g), share = sigmoid * FloatLanes.LoadAs(dy, count);
        FloatLanes.StoreAs(share * g, upGradient, count);
        FloatLanes.StoreAs(share * FloatLanes.LoadAs(up, count) * (Vector256<float>.One + (g * (Vector256<float>.One - sigmoid))), gateGradient, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + FloatLanes.Exp(-x));

    /// <summary>Rows of two tensors, or of two halves of one.</summary>
    private sealed unsafe class Pair
    {
        private readonly nint _gate;
        private readonly nint _up;
        private readonly long _stride;

        public Pair(List<Tensor> tensors)
        {
            Tensors = tensors;
            IsFloat32 = tensors[0].dtype == ScalarType.Float32;
            _stride = tensors[0].shape[^1];
            Width = (int)(tensors.Count == 1 ? _stride / 2 : _stride);
            Rows = tensors[0].NumberOfElements / Math.Max(1, _stride);
            _gate = TensorSpans.AddressOf(tensors[0]);
            _up = tensors.Count == 1 ? _gate + (Width * (IsFloat32 ? sizeof(float) : sizeof(ushort))) : TensorSpans.AddressOf(tensors[1]);
        }

        public List<Tensor> Tensors { get; }

        public bool IsFloat32 { get; }

        public int Width { get; }

        public long Rows { get; }

        public T* Gate<T>(long row)
            where T : unmanaged => (T*)_gate + (row * _stride);

        public T* Up<T>(long row)
            where T : unmanaged => (T*)_up + (row * _stride);
    }
}
