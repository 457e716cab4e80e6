using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>
/// Y = X Wᵀ for a few rows of X, as decoding needs it: every number of W is read from memory once, in about its order, and widened to float32 in registers. Beyond four rows it is
/// read once more from the cache for every further four.
/// </summary>
/// <remarks>
/// A result is added up in the same order however many rows there are, however the outputs are divided among threads, and wherever in them it stands: a row gives
/// the same bits alone and among others. What is called from outside is never inlined: the compiler inlines so much into one method and no more, and the loops here
/// need all of that.
/// </remarks>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TWeights">How W is stored.</typeparam>
internal static unsafe class FewRowsProduct<TLanes, TVector, TWeights>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TWeights : struct, IWeights
{
    /// <summary>Rows that are computed at once, and outputs.</summary>
    private const int Block = 4;

    /// <summary>Puts a row of X into the order that <see cref="Multiply"/> reads it in.</summary>
    /// <param name="source">The row.</param>
    /// <param name="target">Where to; not the row itself.</param>
    /// <param name="count">How many numbers.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Arrange(float* source, float* target, nint count)
    {
        nint k = 0;
        for (; TWeights.SeparatesPlaces && k <= count - (2 * TLanes.Count); k += 2 * TLanes.Count)
        {
            TLanes.Separate(source + k, out TVector even, out TVector odd);
            TLanes.Store(even, target + k);
            TLanes.Store(odd, target + k + TLanes.Count);
        }

        new ReadOnlySpan<float>(source + k, (int)(count - k)).CopyTo(new Span<float>(target + k, (int)(count - k)));
    }

    /// <summary>Computes some of the outputs of all rows.</summary>
    /// <param name="weights">W, <c>[outputs, inWidth]</c>.</param>
    /// <param name="inWidth">The numbers of a row of X.</param>
    /// <param name="first">The first output.</param>
    /// <param name="end">The output to stop before.</param>
    /// <param name="inputs">X, arranged: <c>[rows, inputStride]</c>.</param>
    /// <param name="inputStride">The distance of two rows of X.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="outputs">Y, <c>[rows, outputStride]</c>; output o is written to place o.</param>
    /// <param name="outputStride">The distance of two rows of Y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Multiply(
        byte* weights, nint inWidth, nint first, nint end, float* inputs, nint inputStride, nint rows, float* outputs, nint outputStride)
    {
        nint stride = TWeights.BytesOf(inWidth), bytes = (end - first) * stride;
        byte* begin = weights + (first * stride);

        // How often the loops for several rows go round. Outputs beyond the first rows are still in a cache: what is behind them is asked for meanwhile.
        nint turns = inWidth / (2 * TLanes.Count), blocks = (end - first + Block - 1) / Block * (Block / TLanes.Outputs);
        nint steps = Math.Max(1, (rows + Block - 2) / Block * blocks * turns), step = (bytes + steps - 1) / steps;
        byte* next = begin + (rows <= Block ? Lookahead.Distance + ((TLanes.Outputs - 1) * stride) : bytes);
        nint row = 0;
        for (; rows - row > 1; row += Block)
        {
            // Rows and outputs that are not there are computed as the last one is, and not written.
            nint present = Math.Min(Block, rows - row);
            float* x = inputs + (row * inputStride), x1 = x + inputStride, x2 = x + (Math.Min(2, present - 1) * inputStride), x3 = x + ((present - 1) * inputStride);
            for (nint output = first; output < end; output += Block)
            {
                nint count = Math.Min(Block, end - output);
                byte* w = weights + (output * stride);
                byte* w1 = w + (Math.Min(1, count - 1) * stride), w2 = w + (Math.Min(2, count - 1) * stride), w3 = w + ((count - 1) * stride);
                float* y = outputs + (row * outputStride) + output;
                if (TLanes.Outputs == Block)
                {
                    FourOutputsOfFourRows(w, w1, w2, w3, next, step, x, x1, x2, x3, inWidth, out Vector128<float> y0, out Vector128<float> y1, out Vector128<float> y2, out Vector128<float> y3);
                    next += step * turns;
                    Write(y0, y, count);
                    Write(y1, y + outputStride, count);
                    if (present > 2) Write(y2, y + (2 * outputStride), count);
                    if (present > 3) Write(y3, y + (3 * outputStride), count);
                }
                else
                {
                    TwoOutputsOfFourRows(w, w1, next, step, x, x1, x2, x3, inWidth, out Vector128<float> y0, out Vector128<float> y1);
                    next += step * turns;
                    WriteColumn(y0, y, outputStride, present);
                    if (count > 1) WriteColumn(y1, y + 1, outputStride, present);
                    if (count <= 2) continue;
                    TwoOutputsOfFourRows(w2, w3, next, step, x, x1, x2, x3, inWidth, out y0, out y1);
                    next += step * turns;
                    WriteColumn(y0, y + 2, outputStride, present);
                    if (count > 3) WriteColumn(y1, y + 3, outputStride, present);
                }
            }
        }

        if (row >= rows) return;
        float* last = inputs + (row * inputStride), target = outputs + (row * outputStride);
        step = turns > 0 ? (stride + turns - 1) / turns : 0;
        for (nint output = first; output < end; output += 2)
        {
            byte* w = weights + (output * stride);
            TwoOutputsOfOneRow(w, output < end - 1 ? w + stride : w, step, last, inWidth, out float y0, out float y1);
            target[output] = y0;
            if (output < end - 1) target[output + 1] = y1;
        }
    }

    /// <summary>Reads the weights almost as they lie in memory, which is what memory is fastest at, and asks for those a little further on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoOutputsOfOneRow(byte* w0, byte* w1, nint step, float* x, nint inWidth, out float y0, out float y1)
    {
        TVector s0 = default, s1 = default;
        byte* next0 = w0 + Lookahead.Distance, next1 = w1 + Lookahead.Distance;
        nint k = 0;
        for (; k <= inWidth - (2 * TLanes.Count); k += 2 * TLanes.Count)
        {
            TVector a = TLanes.Load(x + k), b = TLanes.Load(x + k + TLanes.Count);
            next0 = Lookahead.Ask(next0, step);
            TWeights.LoadPair<TLanes, TVector>(w0, k, out TVector first, out TVector second);
            s0 = TLanes.MultiplyAdd(second, b, TLanes.MultiplyAdd(first, a, s0));
            next1 = Lookahead.Ask(next1, step);
            TWeights.LoadPair<TLanes, TVector>(w1, k, out first, out second);
            s1 = TLanes.MultiplyAdd(second, b, TLanes.MultiplyAdd(first, a, s1));
        }

        TLanes.Sums(s0, s1, default, default, default, default, default, default, out Vector128<float> sums, out _);
        (y0, y1) = (sums[0], sums[1]);
        for (; k < inWidth; k++)
        {
            y0 += TWeights.At(w0, k) * x[k];
            y1 += TWeights.At(w1, k) * x[k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourOutputsOfFourRows(
        byte* w0, byte* w1, byte* w2, byte* w3, byte* next, nint step, float* x0, float* x1, float* x2, float* x3, nint inWidth,
        out Vector128<float> y0, out Vector128<float> y1, out Vector128<float> y2, out Vector128<float> y3)
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default, s30 = default, s31 = default, s32 = default, s33 = default;
        nint k = 0;
        for (; k <= inWidth - (2 * TLanes.Count); k += 2 * TLanes.Count)
        {
            next = Lookahead.Ask(next, step);
            TWeights.LoadPair<TLanes, TVector>(w0, k, out TVector a0, out TVector b0);
            TWeights.LoadPair<TLanes, TVector>(w1, k, out TVector a1, out TVector b1);
            TWeights.LoadPair<TLanes, TVector>(w2, k, out TVector a2, out TVector b2);
            TWeights.LoadPair<TLanes, TVector>(w3, k, out TVector a3, out TVector b3);
            TVector x = TLanes.Load(x0 + k);
            s00 = TLanes.MultiplyAdd(a0, x, s00);
            s01 = TLanes.MultiplyAdd(a1, x, s01);
            s02 = TLanes.MultiplyAdd(a2, x, s02);
            s03 = TLanes.MultiplyAdd(a3, x, s03);
            x = TLanes.Load(x1 + k);
            s10 = TLanes.MultiplyAdd(a0, x, s10);
            s11 = TLanes.MultiplyAdd(a1, x, s11);
            s12 = TLanes.MultiplyAdd(a2, x, s12);
            s13 = TLanes.MultiplyAdd(a3, x, s13);
            x = TLanes.Load(x2 + k);
            s20 = TLanes.MultiplyAdd(a0, x, s20);
            s21 = TLanes.MultiplyAdd(a1, x, s21);
            s22 = TLanes.MultiplyAdd(a2, x, s22);
            s23 = TLanes.MultiplyAdd(a3, x, s23);
            x = TLanes.Load(x3 + k);
            s30 = TLanes.MultiplyAdd(a0, x, s30);
            s31 = TLanes.MultiplyAdd(a1, x, s31);
            s32 = TLanes.MultiplyAdd(a2, x, s32);
            s33 = TLanes.MultiplyAdd(a3, x, s33);
            x = TLanes.Load(x0 + k + TLanes.Count);
            s00 = TLanes.MultiplyAdd(b0, x, s00);
            s01 = TLanes.MultiplyAdd(b1, x, s01);
            s02 = TLanes.MultiplyAdd(b2, x, s02);
            s03 = TLanes.MultiplyAdd(b3, x, s03);
            x = TLanes.Load(x1 + k + TLanes.Count);
            s10 = TLanes.MultiplyAdd(b0, x, s10);
            s11 = TLanes.MultiplyAdd(b1, x, s11);
            s12 = TLanes.MultiplyAdd(b2, x, s12);
            s13 = TLanes.MultiplyAdd(b3, x, s13);
            x = TLanes.Load(x2 + k + TLanes.Count);
            s20 = TLanes.MultiplyAdd(b0, x, s20);
            s21 = TLanes.MultiplyAdd(b1, x, s21);
            s22 = TLanes.MultiplyAdd(b2, x, s22);
            s23 = TLanes.MultiplyAdd(b3, x, s23);
            x = TLanes.Load(x3 + k + TLanes.Count);
            s30 = TLanes.MultiplyAdd(b0, x, s30);
            s31 = TLanes.MultiplyAdd(b1, x, s31);
            s32 = TLanes.MultiplyAdd(b2, x, s32);
            s33 = TLanes.MultiplyAdd(b3, x, s33);
        }

        TLanes.Sums(s00, s01, s02, s03, s10, s11, s12, s13, out y0, out y1);
        TLanes.Sums(s20, s21, s22, s23, s30, s31, s32, s33, out y2, out y3);
        for (; k < inWidth; k++)
        {
            Vector128<float> w = Vector128.Create(TWeights.At(w0, k), TWeights.At(w1, k), TWeights.At(w2, k), TWeights.At(w3, k));
            y0 += w * x0[k];
            y1 += w * x1[k];
            y2 += w * x2[k];
            y3 += w * x3[k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoOutputsOfFourRows(
        byte* w0, byte* w1, byte* next, nint step, float* x0, float* x1, float* x2, float* x3, nint inWidth, out Vector128<float> y0, out Vector128<float> y1)
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        nint k = 0;
        for (; k <= inWidth - (2 * TLanes.Count); k += 2 * TLanes.Count)
        {
            next = Lookahead.Ask(next, step);
            TWeights.LoadPair<TLanes, TVector>(w0, k, out TVector a0, out TVector b0);
            TWeights.LoadPair<TLanes, TVector>(w1, k, out TVector a1, out TVector b1);
            TVector x = TLanes.Load(x0 + k);
            s00 = TLanes.MultiplyAdd(a0, x, s00);
            s10 = TLanes.MultiplyAdd(a1, x, s10);
            x = TLanes.Load(x1 + k);
            s01 = TLanes.MultiplyAdd(a0, x, s01);
            s11 = TLanes.MultiplyAdd(a1, x, s11);
            x = TLanes.Load(x2 + k);
            s02 = TLanes.MultiplyAdd(a0, x, s02);
            s12 = TLanes.MultiplyAdd(a1, x, s12);
            x = TLanes.Load(x3 + k);
            s03 = TLanes.MultiplyAdd(a0, x, s03);
            s13 = TLanes.MultiplyAdd(a1, x, s13);
            x = TLanes.Load(x0 + k + TLanes.Count);
            s00 = TLanes.MultiplyAdd(b0, x, s00);
            s10 = TLanes.MultiplyAdd(b1, x, s10);
            x = TLanes.Load(x1 + k + TLanes.Count);
            s01 = TLanes.MultiplyAdd(b0, x, s01);
            s11 = TLanes.MultiplyAdd(b1, x, s11);
            x = TLanes.Load(x2 + k + TLanes.Count);
            s02 = TLanes.MultiplyAdd(b0, x, s02);
            s12 = TLanes.MultiplyAdd(b1, x, s12);
            x = TLanes.Load(x3 + k + TLanes.Count);
            s03 = TLanes.MultiplyAdd(b0, x, s03);
            s13 = TLanes.MultiplyAdd(b1, x, s13);
        }

        TLanes.Sums(s00, s01, s02, s03, s10, s11, s12, s13, out y0, out y1);
        for (; k < inWidth; k++)
        {
            Vector128<float> x = Vector128.Create(x0[k], x1[k], x2[k], x3[k]);
            y0 += x * TWeights.At(w0, k);
            y1 += x * TWeights.At(w1, k);
        }
    }

    /// <summary>Writes the outputs of one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(Vector128<float> values, float* target, nint count)
    {
        if (count == Block) values.Store(target);
        else for (int i = 0; i < count; i++) target[i] = values[i];
    }

    /// <summary>Writes one output of several rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteColumn(Vector128<float> values, float* target, nint stride, nint count)
    {
        target[0] = values[0];
        target[stride] = values[1];
        if (count > 2) target[2 * stride] = values[2];
        if (count > 3) target[3 * stride] = values[3];
    }
}
