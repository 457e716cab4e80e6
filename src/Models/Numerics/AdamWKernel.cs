using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>One fused AdamW step over raw memory: every number is read and written once.</summary>
/// <remarks>
/// Decoupled weight decay as in Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), in the form of
/// torch.optim.AdamW: p ← p (1 − η λ); m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
/// </remarks>
/// <param name="Decay">1 − η λ.</param>
/// <param name="StepSize">η / (1 − β₁ᵗ).</param>
/// <param name="Beta1">β₁.</param>
/// <param name="Beta2">β₂.</param>
/// <param name="InverseRootCorrection">1 / √(1 − β₂ᵗ).</param>
/// <param name="Epsilon">ε.</param>
/// <param name="GradientScale">What gradients are multiplied with first (clipping).</param>
/// <param name="RoundingSeed">The seed of this step's stochastic rounding.</param>
internal readonly record struct AdamWKernel(
    float Decay, float StepSize, float Beta1, float Beta2, float InverseRootCorrection, float Epsilon, float GradientScale, uint RoundingSeed)
{
    /// <summary>float32 weights and gradients.</summary>
    public unsafe void Float32(float* weight, float* gradient, float* first, float* second, int count)
    {
        int i = 0;
        for (; i <= count - BFloat16Vector.Count; i += BFloat16Vector.Count)
            Advance(Vector256.Load(weight + i), Vector256.Load(gradient + i), first + i, second + i).Store(weight + i);
        if (i < count)
        {
            Tail tail = default;
            Copy(weight + i, tail.Weight, count - i);
            Copy(gradient + i, tail.Gradient, count - i);
            Copy(first + i, tail.First, count - i);
            Copy(second + i, tail.Second, count - i);
            Float32(tail.Weight, tail.Gradient, tail.First, tail.Second, BFloat16Vector.Count);
            Copy(tail.Weight, weight + i, count - i);
            Copy(tail.First, first + i, count - i);
            Copy(tail.Second, second + i, count - i);
        }
    }

    /// <summary>bfloat16 weights and gradients with a float32 master copy of the weights.</summary>
    public unsafe void Master(ushort* weight, float* master, ushort* gradient, float* first, float* second, int count)
    {
        int i = 0;
        for (; i <= count - BFloat16Vector.Count; i += BFloat16Vector.Count)
        {
            Vector256<float> updated = Advance(Vector256.Load(master + i), BFloat16Vector.Load(gradient + i), first + i, second + i);
            updated.Store(master + i);
            BFloat16Vector.StoreNearest(updated, weight + i);
        }

        if (i < count)
        {
            Tail tail = default;
            Copy(gradient + i, tail.RoundedGradient, count - i);
            Copy(master + i, tail.Weight, count - i);
            Copy(first + i, tail.First, count - i);
            Copy(second + i, tail.Second, count - i);
            Master(tail.RoundedWeight, tail.Weight, tail.RoundedGradient, tail.First, tail.Second, BFloat16Vector.Count);
            Copy(tail.RoundedWeight, weight + i, count - i);
            Copy(tail.Weight, master + i, count - i);
            Copy(tail.First, first + i, count - i);
            Copy(tail.Second, second + i, count - i);
        }
    }

    /// <summary>bfloat16 weights and gradients, rounded stochastically; <paramref name="element"/> numbers the first one.</summary>
    public unsafe void Stochastic(ushort* weight, ushort* gradient, float* first, float* second, int count, uint element)
    {
        int i = 0;
        for (; i <= count - BFloat16Vector.Count; i += BFloat16Vector.Count)
        {
            Vector256<float> updated = Advance(BFloat16Vector.Load(weight + i), BFloat16Vector.Load(gradient + i), first + i, second + i);
            BFloat16Vector.StoreStochastic(updated, BFloat16Vector.RandomBits(RoundingSeed, element + (uint)i), weight + i);
        }

        if (i < count)
        {
            Tail tail = default;
            Copy(weight + i, tail.RoundedWeight, count - i);
            Copy(gradient + i, tail.RoundedGradient, count - i);
            Copy(first + i, tail.First, count - i);
            Copy(second + i, tail.Second, count - i);
            Stochastic(tail.RoundedWeight, tail.RoundedGradient, tail.First, tail.Second, BFloat16Vector.Count, element + (uint)i);
            Copy(tail.RoundedWeight, weight + i, count - i);
            Copy(tail.First, first + i, count - i);
            Copy(tail.Second, second + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, float* first, float* second)
    {
        gradient *= GradientScale;
        Vector256<float> m = Vector256.Load(first) * Beta1 + gradient * (1 - Beta1);
        Vector256<float> v = Vector256.Load(second) * Beta2 + gradient * gradient * (1 - Beta2);
        m.Store(first);
        v.Store(second);
        Vector256<float> denominator = Vector256.Sqrt(v) * InverseRootCorrection + Vector256.Create(Epsilon);
        return weight * Decay - m / denominator * StepSize;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Copy<T>(T* source, T* destination, int count)
        where T : unmanaged => new ReadOnlySpan<T>(source, count).CopyTo(new Span<T>(destination, count));

    /// <summary>The last few numbers of a chunk, padded with zeros to a whole vector.</summary>
    private unsafe struct Tail
    {
        public fixed float Weight[BFloat16Vector.Count];
        public fixed float Gradient[BFloat16Vector.Count];
        public fixed float First[BFloat16Vector.Count];
        public fixed float Second[BFloat16Vector.Count];
        public fixed ushort RoundedWeight[BFloat16Vector.Count];
        public fixed ushort RoundedGradient[BFloat16Vector.Count];
    }
}
