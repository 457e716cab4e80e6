using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The turn of rotary positions in one pass, from wherever the projection left the heads to where attention wants them; its gradient, the turn back, in another. Keeps
/// nothing but the table.
/// </summary>
internal sealed class FusedRotation : GradientFunction<FusedRotation>
{
    private const string SizeKey = "size";

    /// <summary>Turns heads, see <see cref="RotaryTable.Rotate"/>.</summary>
    /// <param name="heads"><c>[batch, heads, seq, head]</c>, Float32 or BFloat16 in CPU memory, in any order of memory.</param>
    /// <param name="table">The turns, of the same type.</param>
    public static Tensor Apply(Tensor heads, RotaryTable table)
    {
        if (TensorRows.NeedsGradient(heads)) return Record(table.RotatedSize, heads, table.Cosines, table.SignedSines);
        using var scope = NewDisposeScope();
        return Turn(heads, table.Cosines, table.SignedSines, table.RotatedSize, back: false).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        using var scope = NewDisposeScope();
        (int size, Tensor heads, Tensor cosines, Tensor sines) = ((int)arguments[0], (Tensor)arguments[1], (Tensor)arguments[2], (Tensor)arguments[3]);
        context.save_data(SizeKey, size);
        context.save_for_backward([cosines, sines]);
        return Turn(heads, cosines, sines, size, back: false).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        List<Tensor> saved = context.get_saved_variables();
        Tensor none = null!;
        return [none, Turn(gradient, saved[0], saved[1], (int)context.get_data(SizeKey), back: true).MoveToOuterDisposeScope(), none, none];
    }

    /// <param name="heads"><c>[batch, heads, seq, head]</c>.</param>
    /// <param name="cosines"><c>[seq, rotated]</c> or <c>[batch, 1, seq, rotated]</c>.</param>
    /// <param name="sines">As <paramref name="cosines"/>, the first half negated.</param>
    /// <param name="size">The leading elements that turn.</param>
    /// <param name="back">Whether to turn the other way round; what that gives lies in memory as projections want it, by token.</param>
    private static unsafe Tensor Turn(Tensor heads, Tensor cosines, Tensor sines, int size, bool back)
    {
        Tensor source = heads.stride(3) == 1 ? heads : heads.contiguous();
        (Tensor cosine, Tensor sine) = (cosines.contiguous(), sines.contiguous());
        long[] shape = source.shape;
        (long batch, long count, long length, int width) = (shape[0], shape[1], shape[2], (int)shape[3]);
        Tensor target = back
            ? empty([batch, length, count, width], source.dtype).transpose(1, 2)
            : empty([batch, count, length, width], source.dtype);
        (long[] from, long[] to) = (source.stride(), target.stride());
        long tableStride = cosine.ndim == 4 && cosine.shape[0] > 1 ? cosine.shape[2] * size : 0;
        (nint x, nint y, nint c, nint s) = (FirstOf(source), FirstOf(target), TensorSpans.AddressOf(cosine), TensorSpans.AddressOf(sine));
        bool isFloat32 = source.dtype == ScalarType.Float32;
        TensorRows.ForEachGroup(batch * length, count * width, (_, first, end) =>
        {
            for (long place = first; place < end; place++)
            {
                (long row, long position) = (place / length, place % length);
                long table = (row * tableStride) + (position * size);
                for (long head = 0; head < count; head++)
                {
                    long read = (row * from[0]) + (head * from[1]) + (position * from[2]), write = (row * to[0]) + (head * to[1]) + (position * to[2]);
                    if (isFloat32) Turn((float*)x + read, (float*)c + table, (float*)s + table, (float*)y + write, size, width, back);
                    else Turn((ushort*)x + read, (ushort*)c + table, (ushort*)s + table, (ushort*)y + write, size, width, back);
                }
            }
        });
        return target;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Turn<T>(T* x, T* cosines, T* sines, T* y, int size, int width, bool back)
        where T : unmanaged
    {
        int half = size / 2, i = 0;
        T* firstSines = back ? sines + half : sines, secondSines = back ? sines : sines + half;
        for (; i <= half - FloatLanes.Count; i += FloatLanes.Count) Some(x + i, half, cosines + i, firstSines + i, secondSines + i, y + i, FloatLanes.Count);
        if (i < half) Some(x + i, half, cosines + i, firstSines + i, secondSines + i, y + i, half - i);
        new ReadOnlySpan<T>(x + size, width - size).CopyTo(new Span<T>(y + size, width - size));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Some<T>(T* x, int half, T* cosines, T* firstSines, T* secondSines, T* y, int count)
        where T : unmanaged
    {
        Vector256<float> first = FloatLanes.LoadAs(x, count), second = FloatLanes.LoadAs(x + half, count);
        FloatLanes.StoreAs((first * FloatLanes.LoadAs(cosines, count)) + (second * FloatLanes.LoadAs(firstSines, count)), y, count);
        FloatLanes.StoreAs((second * FloatLanes.LoadAs(cosines + half, count)) + (first * FloatLanes.LoadAs(secondSines, count)), y + half, count);
    }

    /// <summary>The address of the first element of a tensor whose elements lie in any order.</summary>
    private static nint FirstOf(Tensor tensor)
    {
        if (tensor.NumberOfElements == 0) return 0;
        using Tensor row = tensor.select(0, 0), head = row.select(0, 0), place = head.select(0, 0), first = place.narrow(0, 0, 1);
        return TensorSpans.AddressOf(first);
    }
}
