using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>Weights and their gradients as vectors of float32, in whatever form they are stored.</summary>
internal interface IWeightLanes
{
    /// <summary>The weights from <paramref name="index"/> on; <paramref name="count"/>, at most 8, of them, zeros behind.</summary>
    Vector256<float> Weights(int index, int count);

    /// <summary>Their gradients, scaled.</summary>
    Vector256<float> Gradients(int index, int count);

    /// <summary>Stores new weights.</summary>
    void Store(Vector256<float> weights, int index, int count);
}

/// <summary>float32 weights and gradients.</summary>
internal readonly unsafe struct Float32Weights(float* weight, float* gradient, float scale) : IWeightLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Weights(int index, int count) => FloatLanes.Load(weight + index, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Gradients(int index, int count) => FloatLanes.Load(gradient + index, count) * scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector256<float> weights, int index, int count) => FloatLanes.Store(weights, weight + index, count);
}

/// <summary>bfloat16 weights and gradients with a float32 master copy of the weights.</summary>
internal readonly unsafe struct MasterWeights(ushort* weight, float* master, ushort* gradient, float scale) : IWeightLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Weights(int index, int count) => FloatLanes.Load(master + index, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Gradients(int index, int count) => FloatLanes.Load(gradient + index, count) * scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector256<float> weights, int index, int count)
    {
        FloatLanes.Store(weights, master + index, count);
        FloatLanes.Store(BFloat16Vector.RoundNearest(weights), weight + index, count);
    }
}

/// <summary>bfloat16 weights and gradients, rounded stochastically; <paramref name="element"/> numbers the first one.</summary>
internal readonly unsafe struct StochasticWeights(ushort* weight, ushort* gradient, float scale, uint seed, uint element) : IWeightLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Weights(int index, int count) => FloatLanes.Load(weight + index, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Gradients(int index, int count) => FloatLanes.Load(gradient + index, count) * scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(Vector256<float> weights, int index, int count) =>
        FloatLanes.Store(BFloat16Vector.RoundStochastic(weights, BFloat16Vector.RandomBits(seed, element + (uint)index)), weight + index, count);
}
