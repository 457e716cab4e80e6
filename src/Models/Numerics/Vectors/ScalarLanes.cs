using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>One number: the plain twin that tests compare the others with.</summary>
internal readonly unsafe struct ScalarLanes : ILanes<float>
{
    /// <inheritdoc/>
    public static int Count => 1;

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static int Rows => 4;

    /// <inheritdoc/>
    public static float Broadcast(float value) => value;

    /// <inheritdoc/>
    public static float Load(float* source) => *source;

    /// <inheritdoc/>
    public static void Store(float value, float* target) => *target = value;

    /// <inheritdoc/>
    public static float Widen(ushort* source) => BitConverter.UInt32BitsToSingle((uint)*source << 16);

    /// <inheritdoc/>
    public static void WidenPairs(ushort* source, out float even, out float odd) => (even, odd) = (Widen(source), Widen(source + 1));

    /// <inheritdoc/>
    public static float Widen(sbyte* source) => *source;

    /// <inheritdoc/>
    public static void Separate(float* source, out float even, out float odd) => (even, odd) = (source[0], source[1]);

    /// <inheritdoc/>
    public static float Add(float left, float right) => left + right;

    /// <inheritdoc/>
    public static float Subtract(float left, float right) => left - right;

    /// <inheritdoc/>
    public static float Multiply(float left, float right) => left * right;

    /// <inheritdoc/>
    public static float Divide(float left, float right) => left / right;

    /// <inheritdoc/>
    public static float MultiplyAdd(float a, float b, float c) => (a * b) + c;

    /// <inheritdoc/>
    public static float Max(float left, float right) => left > right ? left : right;

    /// <inheritdoc/>
    public static float Min(float left, float right) => left < right ? left : right;

    /// <inheritdoc/>
    public static float Abs(float value) => MathF.Abs(value);

    /// <inheritdoc/>
    public static float CopySign(float value, float sign) => MathF.CopySign(value, sign);

    /// <inheritdoc/>
    public static float Round(float value) => MathF.Round(value);

    /// <inheritdoc/>
    public static float Scale(float value, float exponent) => float.ScaleB(value, (int)exponent);

    /// <inheritdoc/>
    public static float Sum(float value) => value;

    /// <inheritdoc/>
    public static float Largest(float value) => value;

    /// <inheritdoc/>
    public static void Sums(
        float a0, float a1, float a2, float a3, float b0, float b1, float b2, float b3, out Vector128<float> a, out Vector128<float> b) =>
        (a, b) = (Vector128.Create(a0, a1, a2, a3), Vector128.Create(b0, b1, b2, b3));

    /// <inheritdoc/>
    public static void Transpose(byte* source, nint sourceStride, float* target, nint targetStride) => *target = *(float*)source;

    /// <inheritdoc/>
    public static void TransposePairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride) => WidenPairs((ushort*)source, out *even, out *odd);
}
