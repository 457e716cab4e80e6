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

    /// <summary>eˣ; see <see cref="Exponential{TLanes,TVector}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x) => Exponential<Lanes256, Vector256<float>>.Of(x);

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
