using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>
/// What the kernels of decoding need of a vector of float32, so that one kernel serves every width. Kernels take the width as a type parameter, for which the
/// compiler makes code of its own.
/// </summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>The numbers in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>How many outputs a kernel for several rows has at once: as many as registers allow, 2 or 4.</summary>
    static abstract int Outputs { get; }

    /// <summary>How many rows a kernel for many rows has at once, each with three vectors of outputs: as many as registers allow, 4 or 8.</summary>
    static abstract int Rows { get; }

    static abstract TVector Broadcast(float value);

    static abstract TVector Load(float* source);

    static abstract void Store(TVector value, float* target);

    /// <summary>Reads <see cref="Count"/> bfloat16 numbers.</summary>
    static abstract TVector Widen(ushort* source);

    /// <summary>
    /// Reads twice <see cref="Count"/> bfloat16 numbers, those at even places and those at odd ones: a shift and a mask, which is less work than keeping their order.
    /// </summary>
    static abstract void WidenPairs(ushort* source, out TVector even, out TVector odd);

    /// <summary>Reads <see cref="Count"/> signed bytes.</summary>
    static abstract TVector Widen(sbyte* source);

    /// <summary>Takes the even and the odd places of twice <see cref="Count"/> numbers apart.</summary>
    static abstract void Separate(float* source, out TVector even, out TVector odd);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    /// <summary>a b + c.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The larger numbers; where the right one is not a number, that.</summary>
    static abstract TVector Max(TVector left, TVector right);

    /// <summary>The smaller numbers; where the right one is not a number, that.</summary>
    static abstract TVector Min(TVector left, TVector right);

    static abstract TVector Abs(TVector value);

    static abstract TVector CopySign(TVector value, TVector sign);

    /// <summary>The nearest whole numbers, of two equally near ones the even one.</summary>
    static abstract TVector Round(TVector value);

    /// <summary>value · 2^exponent, for whole exponents from -150 to 128.</summary>
    static abstract TVector Scale(TVector value, TVector exponent);

    static abstract float Sum(TVector value);

    static abstract float Largest(TVector value);

    /// <summary>The sums of four vectors, and of four others: of the first half of each and the second, and so on, until there is one number.</summary>
    static abstract void Sums(
        TVector a0, TVector a1, TVector a2, TVector a3, TVector b0, TVector b1, TVector b2, TVector b3, out Vector128<float> a, out Vector128<float> b);

    /// <summary>
    /// Turns a square of <see cref="Count"/> rows and columns of 32 bits: column j of the source becomes row r of the target, r being j with its bits in the opposite
    /// order. So that neighbouring rows are those that <see cref="Sum"/> and <see cref="Sums"/> add to each other first.
    /// </summary>
    /// <param name="source">The square.</param>
    /// <param name="sourceStride">The distance of its rows, in bytes.</param>
    /// <param name="target">Where to.</param>
    /// <param name="targetStride">The distance of the rows there, in numbers.</param>
    static abstract void Transpose(byte* source, nint sourceStride, float* target, nint targetStride);

    /// <summary>The same for pairs of bfloat16 numbers, which are widened: the numbers at even places become the rows of one target, those at odd places of another.</summary>
    static abstract void TransposePairs(byte* source, nint sourceStride, float* even, float* odd, nint targetStride);
}
