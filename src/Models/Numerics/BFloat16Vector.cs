using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLComponents.Models;

/// <summary>bfloat16 numbers (the upper half of a float32) to and from vectors of eight float32.</summary>
internal static class BFloat16Vector
{
    /// <summary>Numbers in one vector.</summary>
    public const int Count = 8;

    /// <summary>Set in what is not a number, so that it stays so when its lower half is cut off. Infinity has nothing there that could carry.</summary>
    private const uint QuietBit = 0x00400000;

    /// <summary>Reads eight bfloat16 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Load(ushort* source) => Widen(Vector128.Load(source));

    /// <summary>The bits of eight bfloat16 numbers as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Widen(Vector128<ushort> bits)
    {
        if (Avx2.IsSupported) return (Avx2.ConvertToVector256Int32(bits) << 16).AsSingle();
        (Vector128<uint> lower, Vector128<uint> upper) = Vector128.Widen(bits);
        return (Vector256.Create(lower, upper) << 16).AsSingle();
    }

    /// <summary>Eight numbers rounded to the nearest, ties to even; not-a-number stays so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> RoundNearest(Vector256<float> value)
    {
        Vector256<uint> bits = value.AsUInt32();
        Vector256<uint> rounded = bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256.Create(1u));
        return Narrow(Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits | Vector256.Create(QuietBit)));
    }

    /// <summary>
    /// Eight numbers rounded up or down at random, with the probability that makes the expectation exact:
    /// 16 random bits are added below the kept ones.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> RoundStochastic(Vector256<float> value, Vector256<uint> random)
    {
        Vector256<uint> bits = value.AsUInt32();
        Vector256<uint> rounded = bits + (random >> 16);
        return Narrow(Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), rounded, bits | Vector256.Create(QuietBit)));
    }

    /// <summary>
    /// 32 random bits for each of eight consecutive element numbers: a function of seed and number alone, so that the
    /// result does not depend on how the work is divided. The mixing function is the finalizer of MurmurHash3, applied twice.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> RandomBits(uint seed, uint firstElement)
    {
        Vector256<uint> number = Vector256.Create(firstElement) + Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7);
        return Mix(Mix(number * Vector256.Create(0x9E3779B1u)) ^ Vector256.Create(seed));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mix(Vector256<uint> x)
    {
        x = (x ^ (x >> 16)) * Vector256.Create(0x85EBCA6Bu);
        x = (x ^ (x >> 13)) * Vector256.Create(0xC2B2AE35u);
        return x ^ (x >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ushort> Narrow(Vector256<uint> bits)
    {
        Vector256<uint> upper = bits >> 16;
        if (Avx512F.VL.IsSupported) return Avx512F.VL.ConvertToVector128UInt16(upper);
        return Vector128.Narrow(upper.GetLower(), upper.GetUpper());
    }
}
