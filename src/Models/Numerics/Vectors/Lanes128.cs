using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>Four numbers: what every processor has that .NET runs on.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    /// <inheritdoc/>
    public static int Count => Vector128<float>.Count;

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static int Rows => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Widen(ushort* source) =>
        (Vector128.WidenLower(Vector64.Load(source).ToVector128Unsafe()) << 16).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WidenPairs(ushort* source, out Vector128<float> even, out Vector128<float> odd)
    {
        Vector128<uint> pairs = Vector128.Load((uint*)source);
        even = (pairs << 16).AsSingle();
        odd = (pairs & Vector128.Create(0xFFFF0000u)).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Widen(sbyte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)source).AsSByte())));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Separate(float* source, out Vector128<float> even, out Vector128<float> odd)
    {
        Vector128<ulong> lower = Vector128.Load((ulong*)source), upper = Vector128.Load((ulong*)source + Vector128<ulong>.Count);
        even = Vector128.Narrow(lower, upper).AsSingle();
        odd = Vector128.Narrow(lower >> 32, upper >> 32).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> left, Vector128<float> right) => left - right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) => Vector128.MaxNative(left, right);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Min(Vector128<float> left, Vector128<float> right) => Vector128.MinNative(left, right);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Abs(Vector128<float> value) => Vector128.Abs(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> CopySign(Vector128<float> value, Vector128<float> sign) => Vector128.CopySign(value, sign);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Round(Vector128<float> value) => Vector128.Round(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Scale(Vector128<float> value, Vector128<float> exponent)
    {
        // In two steps, as 2^-150 and 2^128 are no float32.
        Vector128<int> whole = Vector128.ConvertToInt32Native(exponent), half = whole >> 1, ones = Vector128.Create(127);
        return value * ((half + ones) << 23).AsSingle() * ((whole - half + ones) << 23).AsSingle();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> value) => Vector128.Sum(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector128<float> value)
    {
        value = Vector128.MaxNative(value, Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(value, Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(
        Vector128<float> a0, Vector128<float> a1, Vector128<float> a2, Vector128<float> a3, Vector128<float> b0, Vector128<float> b1, Vector128<float> b2, Vector128<float> b3, out Vector128<float> a, out Vector128<float> b) => (a, b) = (Sums(a0, a1, a2, a3), Sums(b0, b1, b2, b3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sums(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d) =>
        (Vector128.Create(a[0], b[0], c[0], d[0]) + Vector128.Create(a[2], b[2], c[2], d[2]))
        + (Vector128.Create(a[1], b[1], c[1], d[1]) + Vector128.Create(a[3], b[3], c[3], d[3]));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(byte* source, nint sourceStride, float* target, nint targetStride)
    {
        uint* row0 = (uint*)source, row1 = (uint*)(source + sourceStride), row2 = (uint*)(source + (2 * sourceStride)), row3 = (uint*)(source + (3 * sourceStride));
        Vector128.Create(row0[0], row1[0], row2[0], row3[0]).AsSingle().Store(target);
        Vector128.Create(row0[2], row1[2], row2[2], row3[2]).AsSingle().Store(target + targetStride);
        Vector128.Create(row0[1], row1[1], row2[1], row3[1]).AsSingle().Store(target + (2 * targetStride));
        Vector128.Create(row0[3], row1[3], row2[3], row3[3]).AsSingle().Store(target + (3 * targetStride));
    }

    /// <inheritdoc/>
    public static void TransposePairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride)
    {
        float* turned = stackalloc float[Count * Count];
        Transpose(source, sourceStride, turned, Count);
        for (nint row = 0; row < Count; row++)
        {
            WidenPairs((ushort*)(turned + (row * Count)), out Vector128<float> first, out Vector128<float> second);
            first.Store(even + (row * targetStride));
            second.Store(odd + (row * targetStride));
        }
    }
}
