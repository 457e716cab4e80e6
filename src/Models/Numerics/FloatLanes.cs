using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>Up to eight numbers of an array to and from a vector of eight float32; lanes that have no number are zero.</summary>
internal static unsafe class FloatLanes
{
    /// <summary>Numbers in one vector.</summary>
    public const int Count = 8;

    /// <summary>Reads float32 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source, int count) => count == Count ? Vector256.Load(source) : LoadFew(source, count);

    /// <summary>Reads bfloat16 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(ushort* source, int count) => BFloat16Vector.Widen(count == Count ? Vector128.Load(source) : LoadFew(source, count));

    /// <summary>Writes float32 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination, int count)
    {
        if (count == Count) value.Store(destination);
        else StoreFew(value, destination, count);
    }

    /// <summary>Writes bfloat16 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<ushort> value, ushort* destination, int count)
    {
        if (count == Count) value.Store(destination);
        else StoreFew(value, destination, count);
    }

    /// <summary>Reads float32 (<c>float</c>) or bfloat16 (<c>ushort</c>) numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadAs<T>(T* source, int count)
        where T : unmanaged => typeof(T) == typeof(float) ? Load((float*)source, count) : Load((ushort*)source, count);

    /// <summary>Writes float32 (<c>float</c>) or bfloat16 (<c>ushort</c>) numbers, rounded to the nearest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreAs<T>(Vector256<float> value, T* destination, int count)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) Store(value, (float*)destination, count);
        else Store(BFloat16Vector.RoundNearest(value), (ushort*)destination, count);
    }

    /// <summary>What numbers become when they are written and read again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> RoundAs<T>(Vector256<float> value)
        where T : unmanaged => typeof(T) == typeof(float) ? value : BFloat16Vector.Widen(BFloat16Vector.RoundNearest(value));

    /// <summary>eˣ, off by at most 2e-7 of it; 0 below -87.3, and e⁸⁸ above 88. What is not a number stays so.</summary>
    /// <remarks>2ⁿ eʳ with n = round(x / ln 2) and |r| ≤ ln 2 / 2, eʳ by the polynomial of Cephes' <c>expf</c> (Moshier 1992).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        const float lowest = -87.3f, highest = 88;
        Vector256<float> clamped = Vector256.MinNative(Vector256.MaxNative(x, Vector256.Create(lowest)), Vector256.Create(highest));
        Vector256<float> n = Vector256.Round(clamped * Vector256.Create(1.44269504f));
        Vector256<float> r = Vector256.MultiplyAddEstimate(n, Vector256.Create(-0.693359375f), clamped);
        r = Vector256.MultiplyAddEstimate(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> sum = Vector256.MultiplyAddEstimate(Vector256.Create(1.9875691500e-4f), r, Vector256.Create(1.3981999507e-3f));
        sum = Vector256.MultiplyAddEstimate(sum, r, Vector256.Create(8.3334519073e-3f));
        sum = Vector256.MultiplyAddEstimate(sum, r, Vector256.Create(4.1665795894e-2f));
        sum = Vector256.MultiplyAddEstimate(sum, r, Vector256.Create(1.6666665459e-1f));
        sum = Vector256.MultiplyAddEstimate(sum, r, Vector256.Create(5.0000001201e-1f));
        sum = Vector256.MultiplyAddEstimate(sum, r * r, r + Vector256<float>.One);
        Vector256<float> power = ((Vector256.ConvertToInt32Native(n) + Vector256.Create(127)) << 23).AsSingle();
        Vector256<float> result = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(lowest)), default, sum * power);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), result, x);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector256<float> LoadFew(float* source, int count)
    {
        Vector256<float> value = default;
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(&value, count));
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<ushort> LoadFew(ushort* source, int count)
    {
        Vector128<ushort> value = default;
        new ReadOnlySpan<ushort>(source, count).CopyTo(new Span<ushort>(&value, count));
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreFew(Vector256<float> value, float* destination, int count) =>
        new ReadOnlySpan<float>(&value, count).CopyTo(new Span<float>(destination, count));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreFew(Vector128<ushort> value, ushort* destination, int count) =>
        new ReadOnlySpan<ushort>(&value, count).CopyTo(new Span<ushort>(destination, count));
}
