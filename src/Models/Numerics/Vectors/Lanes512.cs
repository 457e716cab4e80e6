using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static MLComponents.Models.Shuffles;

namespace MLComponents.Models;

/// <summary>Sixteen numbers: AVX-512.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    /// <inheritdoc/>
    public static int Count => Vector512<float>.Count;

    /// <inheritdoc/>
    public static int Outputs => 4;

    /// <inheritdoc/>
    public static int Rows => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(ushort* source) =>
        (Vector512.WidenLower(Vector256.Load(source).ToVector512Unsafe()) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenPairs(ushort* source, out Vector512<float> even, out Vector512<float> odd)
    {
        Vector512<uint> pairs = Vector512.Load((uint*)source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(sbyte* source) =>
        Vector512.ConvertToSingle(Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Int32(Vector128.Load(source))
            : Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()).ToVector512Unsafe()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Separate(float* source, out Vector512<float> even, out Vector512<float> odd)
    {
        Vector512<ulong> lower = Vector512.Load((ulong*)source), upper = Vector512.Load((ulong*)source + Vector512<ulong>.Count);
        even = Vector512.Narrow(lower, upper).AsSingle();
        odd = Vector512.Narrow(lower >> 32, upper >> 32).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> left, Vector512<float> right) => left - right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.MaxNative(left, right);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Min(Vector512<float> left, Vector512<float> right) => Vector512.MinNative(left, right);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Abs(Vector512<float> value) => Vector512.Abs(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> CopySign(Vector512<float> value, Vector512<float> sign) => Vector512.CopySign(value, sign);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> value) => Vector512.Round(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Scale(Vector512<float> value, Vector512<float> exponent)
    {
        if (Avx512F.IsSupported) return Avx512F.Scale(value, exponent);
        Vector512<int> whole = Vector512.ConvertToInt32Native(exponent), half = whole >> 1, ones = Vector512.Create(127);
        return value * ((half + ones) << 23).AsSingle() * ((whole - half + ones) << 23).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Vector512.Sum(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> value) =>
        Lanes256.Largest(Vector256.MaxNative(value.GetLower(), value.GetUpper()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(
        Vector512<float> a0, Vector512<float> a1, Vector512<float> a2, Vector512<float> a3, Vector512<float> b0, Vector512<float> b1, Vector512<float> b2, Vector512<float> b3, out Vector128<float> a, out Vector128<float> b)
    {
        if (!Avx512F.IsSupported)
        {
            Lanes256.Sums(Fold(a0), Fold(a1), Fold(a2), Fold(a3), Fold(b0), Fold(b1), Fold(b2), Fold(b3), out a, out b);
            return;
        }

        // Sums of a vector's quarters, four vectors side by side; of each quarter's halves; of single numbers.
        Vector512<float> first = Quarters(a0, b0, a1, b1), second = Quarters(a2, b2, a3, b3);
        Vector512<float> halves = Avx512F.Shuffle(first, second, FirstHalves) + Avx512F.Shuffle(first, second, SecondHalves);
        Vector512<float> sums = Avx512F.Shuffle(halves, halves, EvenParts) + Avx512F.Shuffle(halves, halves, OddParts);
        Vector256<float> early = sums.GetLower(), late = sums.GetUpper();
        a = Sse.UnpackLow(early.GetLower(), late.GetLower());
        b = Sse.UnpackLow(early.GetUpper(), late.GetUpper());
    }

    private static Vector256<float> Fold(Vector512<float> value) => value.GetLower() + value.GetUpper();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        Vector512<float> first = Avx512F.Shuffle4x128(a, b, FirstHalves) + Avx512F.Shuffle4x128(a, b, SecondHalves);
        Vector512<float> second = Avx512F.Shuffle4x128(c, d, FirstHalves) + Avx512F.Shuffle4x128(c, d, SecondHalves);
        return Avx512F.Shuffle4x128(first, second, EvenParts) + Avx512F.Shuffle4x128(first, second, OddParts);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(byte* source, nint sourceStride, float* target, nint targetStride) => Transposition.OfSixteen(source, sourceStride, target, targetStride);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposePairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride) => Transposition.OfSixteenPairs(source, sourceStride, even, odd, targetStride);
}
