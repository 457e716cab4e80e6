using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static MLComponents.Models.Shuffles;

namespace MLComponents.Models;

/// <summary>Squares of 32-bit numbers turned about their diagonal, their rows then in the order of <see cref="ILanes{TVector}.Transpose"/>.</summary>
internal static unsafe class Transposition
{
    /// <summary>The row that column j becomes, of so many: j with its bits in the opposite order.</summary>
    public static int RowOf(int column, int count)
    {
        int row = 0;
        for (int bit = 1; bit < count; bit <<= 1, column >>= 1) row = (row << 1) | (column & 1);
        return row;
    }

    /// <summary>A square of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void OfEight(byte* source, nint sourceStride, float* target, nint targetStride)
    {
        if (!Avx.IsSupported)
        {
            OfAny(source, sourceStride, target, targetStride, Vector256<float>.Count);
            return;
        }

        FourRows(source, sourceStride, out Vector256<float> a0, out Vector256<float> a1, out Vector256<float> a2, out Vector256<float> a3);
        FourRows(source + (4 * sourceStride), sourceStride, out Vector256<float> b0, out Vector256<float> b1, out Vector256<float> b2, out Vector256<float> b3);
        Avx.Permute2x128(a0, b0, Lower).Store(target);
        Avx.Permute2x128(a0, b0, Upper).Store(target + targetStride);
        Avx.Permute2x128(a2, b2, Lower).Store(target + (2 * targetStride));
        Avx.Permute2x128(a2, b2, Upper).Store(target + (3 * targetStride));
        Avx.Permute2x128(a1, b1, Lower).Store(target + (4 * targetStride));
        Avx.Permute2x128(a1, b1, Upper).Store(target + (5 * targetStride));
        Avx.Permute2x128(a3, b3, Lower).Store(target + (6 * targetStride));
        Avx.Permute2x128(a3, b3, Upper).Store(target + (7 * targetStride));
    }

    /// <summary>A square of sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void OfSixteen(byte* source, nint sourceStride, float* target, nint targetStride)
    {
        if (!Avx512F.IsSupported)
        {
            OfAny(source, sourceStride, target, targetStride, Vector512<float>.Count);
            return;
        }

        FourRows(source, sourceStride, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        FourRows(source + (4 * sourceStride), sourceStride, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        FourRows(source + (8 * sourceStride), sourceStride, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        FourRows(source + (12 * sourceStride), sourceStride, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
        Store(a0, b0, c0, d0, target, targetStride);
        Store(a2, b2, c2, d2, target + (4 * targetStride), targetStride);
        Store(a1, b1, c1, d1, target + (8 * targetStride), targetStride);
        Store(a3, b3, c3, d3, target + (12 * targetStride), targetStride);
    }

    /// <summary>A square of eight pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void OfEightPairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride)
    {
        if (!Avx.IsSupported)
        {
            OfAnyPairs(source, sourceStride, even, odd, targetStride, Vector256<float>.Count);
            return;
        }

        FourRows(source, sourceStride, out Vector256<float> a0, out Vector256<float> a1, out Vector256<float> a2, out Vector256<float> a3);
        FourRows(source + (4 * sourceStride), sourceStride, out Vector256<float> b0, out Vector256<float> b1, out Vector256<float> b2, out Vector256<float> b3);
        Widen(Avx.Permute2x128(a0, b0, Lower), even, odd);
        Widen(Avx.Permute2x128(a0, b0, Upper), even + targetStride, odd + targetStride);
        Widen(Avx.Permute2x128(a2, b2, Lower), even + (2 * targetStride), odd + (2 * targetStride));
        Widen(Avx.Permute2x128(a2, b2, Upper), even + (3 * targetStride), odd + (3 * targetStride));
        Widen(Avx.Permute2x128(a1, b1, Lower), even + (4 * targetStride), odd + (4 * targetStride));
        Widen(Avx.Permute2x128(a1, b1, Upper), even + (5 * targetStride), odd + (5 * targetStride));
        Widen(Avx.Permute2x128(a3, b3, Lower), even + (6 * targetStride), odd + (6 * targetStride));
        Widen(Avx.Permute2x128(a3, b3, Upper), even + (7 * targetStride), odd + (7 * targetStride));
    }

    /// <summary>A square of sixteen pairs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void OfSixteenPairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride)
    {
        if (!Avx512F.IsSupported)
        {
            OfAnyPairs(source, sourceStride, even, odd, targetStride, Vector512<float>.Count);
            return;
        }

        FourRows(source, sourceStride, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        FourRows(source + (4 * sourceStride), sourceStride, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        FourRows(source + (8 * sourceStride), sourceStride, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
        FourRows(source + (12 * sourceStride), sourceStride, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
        StorePairs(a0, b0, c0, d0, even, odd, targetStride);
        StorePairs(a2, b2, c2, d2, even + (4 * targetStride), odd + (4 * targetStride), targetStride);
        StorePairs(a1, b1, c1, d1, even + (8 * targetStride), odd + (8 * targetStride), targetStride);
        StorePairs(a3, b3, c3, d3, even + (12 * targetStride), odd + (12 * targetStride), targetStride);
    }

    private static void OfAny(byte* source, nint sourceStride, float* target, nint targetStride, int count)
    {
        for (int row = 0; row < count; row++)
            for (int column = 0; column < count; column++)
                target[(RowOf(column, count) * targetStride) + row] = ((float*)(source + (row * sourceStride)))[column];
    }

    private static void OfAnyPairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride, int count)
    {
        for (int row = 0; row < count; row++)
        {
            for (int column = 0; column < count; column++)
            {
                uint pair = ((uint*)(source + (row * sourceStride)))[column];
                nint place = (RowOf(column, count) * targetStride) + row;
                (even[place], odd[place]) = (BitConverter.UInt32BitsToSingle(pair << 16), BitConverter.UInt32BitsToSingle(pair & 0xFFFF0000u));
            }
        }
    }

    /// <summary>Of four rows the columns 0, 4, 8 and 12 as the parts of one vector, and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(byte* source, nint stride, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3)
    {
        Vector512<float> row0 = Vector512.Load((float*)source), row1 = Vector512.Load((float*)(source + stride));
        Vector512<float> row2 = Vector512.Load((float*)(source + (2 * stride))), row3 = Vector512.Load((float*)(source + (3 * stride)));
        Vector512<float> low = Avx512F.UnpackLow(row0, row1), high = Avx512F.UnpackHigh(row0, row1);
        Vector512<float> low2 = Avx512F.UnpackLow(row2, row3), high2 = Avx512F.UnpackHigh(row2, row3);
        c0 = Avx512F.Shuffle(low, low2, FirstHalves);
        c1 = Avx512F.Shuffle(low, low2, SecondHalves);
        c2 = Avx512F.Shuffle(high, high2, FirstHalves);
        c3 = Avx512F.Shuffle(high, high2, SecondHalves);
    }

    /// <summary>Of four rows the columns 0 and 4 as the halves of one vector, and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(byte* source, nint stride, out Vector256<float> c0, out Vector256<float> c1, out Vector256<float> c2, out Vector256<float> c3)
    {
        Vector256<float> row0 = Vector256.Load((float*)source), row1 = Vector256.Load((float*)(source + stride));
        Vector256<float> row2 = Vector256.Load((float*)(source + (2 * stride))), row3 = Vector256.Load((float*)(source + (3 * stride)));
        Vector256<float> low = Avx.UnpackLow(row0, row1), high = Avx.UnpackHigh(row0, row1);
        Vector256<float> low2 = Avx.UnpackLow(row2, row3), high2 = Avx.UnpackHigh(row2, row3);
        c0 = Avx.Shuffle(low, low2, FirstHalves);
        c1 = Avx.Shuffle(low, low2, SecondHalves);
        c2 = Avx.Shuffle(high, high2, FirstHalves);
        c3 = Avx.Shuffle(high, high2, SecondHalves);
    }

    /// <summary>Stores four columns: the first and, four columns on each, those behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* target, nint stride)
    {
        Vector512<float> first = Avx512F.Shuffle4x128(a, b, FirstHalves), second = Avx512F.Shuffle4x128(c, d, FirstHalves);
        Vector512<float> third = Avx512F.Shuffle4x128(a, b, SecondHalves), fourth = Avx512F.Shuffle4x128(c, d, SecondHalves);
        Avx512F.Shuffle4x128(first, second, EvenParts).Store(target);
        Avx512F.Shuffle4x128(third, fourth, EvenParts).Store(target + stride);
        Avx512F.Shuffle4x128(first, second, OddParts).Store(target + (2 * stride));
        Avx512F.Shuffle4x128(third, fourth, OddParts).Store(target + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* even, float* odd, nint stride)
    {
        Vector512<float> first = Avx512F.Shuffle4x128(a, b, FirstHalves), second = Avx512F.Shuffle4x128(c, d, FirstHalves);
        Vector512<float> third = Avx512F.Shuffle4x128(a, b, SecondHalves), fourth = Avx512F.Shuffle4x128(c, d, SecondHalves);
        Widen(Avx512F.Shuffle4x128(first, second, EvenParts), even, odd);
        Widen(Avx512F.Shuffle4x128(third, fourth, EvenParts), even + stride, odd + stride);
        Widen(Avx512F.Shuffle4x128(first, second, OddParts), even + (2 * stride), odd + (2 * stride));
        Widen(Avx512F.Shuffle4x128(third, fourth, OddParts), even + (3 * stride), odd + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(Vector512<float> pairs, float* even, float* odd)
    {
        (pairs.AsUInt32() << 16).AsSingle().Store(even);
        (pairs.AsUInt32() & Vector512.Create(0xFFFF0000u)).AsSingle().Store(odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(Vector256<float> pairs, float* even, float* odd)
    {
        (pairs.AsUInt32() << 16).AsSingle().Store(even);
        (pairs.AsUInt32() & Vector256.Create(0xFFFF0000u)).AsSingle().Store(odd);
    }
}
