using System.Runtime.CompilerServices;

namespace MLComponents.Models;

/// <summary>What a decoder computes for each token beside products: norms, activations, rotations.</summary>
/// <typeparam name="TLanes">The width of vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <typeparam name="TNumbers">How weights of norms and biases are stored.</typeparam>
internal static unsafe class TokenMath<TLanes, TVector, TNumbers>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
    where TNumbers : struct, INumbers
{
    /// <summary>Reads numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Widen(void* source, nint first, float* target, nint count)
    {
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count) TLanes.Store(TNumbers.Load<TLanes, TVector>(source, first + i), target + i);
        for (; i < count; i++) target[i] = TNumbers.Read(source, first + i);
    }

    /// <summary>target += source.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Add(float* source, float* target, nint count)
    {
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count) TLanes.Store(TLanes.Add(TLanes.Load(target + i), TLanes.Load(source + i)), target + i);
        for (; i < count; i++) target[i] += source[i];
    }

    /// <summary>target *= factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Scale(float* target, float factor, nint count)
    {
        TVector factors = TLanes.Broadcast(factor);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count) TLanes.Store(TLanes.Multiply(TLanes.Load(target + i), factors), target + i);
        for (; i < count; i++) target[i] *= factor;
    }

    /// <summary>target += bias.</summary>
    /// <param name="bias">The biases; nothing happens if null.</param>
    /// <param name="first">The first of them to add.</param>
    /// <param name="target">What to add to.</param>
    /// <param name="count">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void AddBias(void* bias, nint first, float* target, nint count)
    {
        if (bias is null) return;
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Add(TLanes.Load(target + i), TNumbers.Load<TLanes, TVector>(bias, first + i)), target + i);
        for (; i < count; i++) target[i] += TNumbers.Read(bias, first + i);
    }

    /// <summary><c>w · x / sqrt(mean(x²) + ε)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void RootMeanSquareNorm(float* source, float* target, nint count, FusedNorm norm, float epsilon)
    {
        float scale = 1 / MathF.Sqrt((SumOfSquares(source, 0, count) / count) + epsilon);
        Scale(source, 0, scale, target, count, norm);
    }

    /// <summary><c>w · (x - mean(x)) / sqrt(var(x) + ε) + b</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void LayerNorm(float* source, float* target, nint count, FusedNorm norm, float epsilon)
    {
        TVector sums = default;
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count) sums = TLanes.Add(sums, TLanes.Load(source + i));
        float sum = TLanes.Sum(sums);
        for (; i < count; i++) sum += source[i];
        float mean = sum / count;
        float scale = 1 / MathF.Sqrt((SumOfSquares(source, mean, count) / count) + epsilon);
        Scale(source, mean, scale, target, count, norm);
    }

    /// <summary>
    /// Turns a query or a key: <c>(x₁, x₂) -> (x₁ cos - x₂ sin, x₂ cos + x₁ sin)</c> for the halves of the rotated part.
    /// </summary>
    /// <param name="head">The query or key.</param>
    /// <param name="cosines">The cosines, half as many as are rotated.</param>
    /// <param name="sines">The sines.</param>
    /// <param name="half">Half the rotated elements.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Rotate(float* head, float* cosines, float* sines, nint half)
    {
        nint i = 0;
        for (; i <= half - TLanes.Count; i += TLanes.Count)
        {
            TVector cos = TLanes.Load(cosines + i), sin = TLanes.Load(sines + i), first = TLanes.Load(head + i), second = TLanes.Load(head + half + i);
            TLanes.Store(TLanes.Subtract(TLanes.Multiply(first, cos), TLanes.Multiply(second, sin)), head + i);
            TLanes.Store(TLanes.Add(TLanes.Multiply(second, cos), TLanes.Multiply(first, sin)), head + half + i);
        }

        for (; i < half; i++)
        {
            (float first, float second) = (head[i], head[half + i]);
            head[i] = (first * cosines[i]) - (second * sines[i]);
            head[half + i] = (second * cosines[i]) + (first * sines[i]);
        }
    }

    /// <summary>Applies the activation, and multiplies with the other half of a gated layer.</summary>
    /// <param name="activation">The activation.</param>
    /// <param name="values">What it is applied to; takes the result.</param>
    /// <param name="factors">What the result is multiplied with, or null.</param>
    /// <param name="count">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Activate(Activation activation, float* values, float* factors, nint count)
    {
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TVector result = Activate(activation, TLanes.Load(values + i));
            TLanes.Store(factors is null ? result : TLanes.Multiply(result, TLanes.Load(factors + i)), values + i);
        }

        for (; i < count; i++)
        {
            float result = TLanes.Sum(First(Activate(activation, TLanes.Broadcast(values[i]))));
            values[i] = factors is null ? result : result * factors[i];
        }
    }

    /// <summary>A vector whose sum is its first number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector First(TVector value) => TLanes.Divide(value, TLanes.Broadcast(TLanes.Count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Activate(Activation activation, TVector x)
    {
        TVector zero = default, one = TLanes.Broadcast(1);
        switch (activation)
        {
            case Activation.Silu:
                return TLanes.Divide(x, TLanes.Add(one, Exponential<TLanes, TVector>.Of(TLanes.Subtract(zero, x))));
            case Activation.GeluTanh:
                // x/2 (1 + tanh u) = x / (1 + e^(-2u)), u = sqrt(2/π) (x + 0.044715 x³)
                TVector cube = TLanes.Multiply(TLanes.Multiply(x, x), x);
                TVector inner = TLanes.MultiplyAdd(TLanes.Broadcast(0.044715f), cube, x);
                return TLanes.Divide(x, TLanes.Add(one, Exponential<TLanes, TVector>.Of(TLanes.Multiply(inner, TLanes.Broadcast(-2 * 0.7978845608f)))));
            case Activation.Gelu:
                TVector half = TLanes.Multiply(x, TLanes.Broadcast(0.5f));
                return TLanes.MultiplyAdd(half, Erf(TLanes.Multiply(x, TLanes.Broadcast(0.7071067812f))), half);
            case Activation.Relu:
                return TLanes.Max(zero, x);
            default:
                TVector positive = TLanes.Max(zero, x);
                return TLanes.Multiply(positive, positive);
        }
    }

    /// <summary>The error function: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; off by at most 1.5e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Erf(TVector z)
    {
        TVector size = TLanes.Abs(z), one = TLanes.Broadcast(1);
        TVector t = TLanes.Divide(one, TLanes.MultiplyAdd(TLanes.Broadcast(0.3275911f), size, one));
        TVector sum = TLanes.MultiplyAdd(TLanes.Broadcast(1.061405429f), t, TLanes.Broadcast(-1.453152027f));
        sum = TLanes.MultiplyAdd(sum, t, TLanes.Broadcast(1.421413741f));
        sum = TLanes.MultiplyAdd(sum, t, TLanes.Broadcast(-0.284496736f));
        sum = TLanes.MultiplyAdd(sum, t, TLanes.Broadcast(0.254829592f));
        TVector tail = TLanes.Multiply(TLanes.Multiply(sum, t), Exponential<TLanes, TVector>.Of(TLanes.Subtract(default, TLanes.Multiply(size, size))));
        return TLanes.CopySign(TLanes.Subtract(one, tail), z);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SumOfSquares(float* source, float mean, nint count)
    {
        TVector sums = default, center = TLanes.Broadcast(mean);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TVector difference = TLanes.Subtract(TLanes.Load(source + i), center);
            sums = TLanes.MultiplyAdd(difference, difference, sums);
        }

        float sum = TLanes.Sum(sums);
        for (; i < count; i++) sum += (source[i] - mean) * (source[i] - mean);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(float* source, float mean, float scale, float* target, nint count, FusedNorm norm)
    {
        void* weight = (void*)norm.Weight, bias = (void*)norm.Bias;
        TVector center = TLanes.Broadcast(mean), factor = TLanes.Broadcast(scale);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TVector normed = TLanes.Multiply(TLanes.Multiply(TLanes.Subtract(TLanes.Load(source + i), center), factor), TNumbers.Load<TLanes, TVector>(weight, i));
            TLanes.Store(bias is null ? normed : TLanes.Add(normed, TNumbers.Load<TLanes, TVector>(bias, i)), target + i);
        }

        for (; i < count; i++) target[i] = ((source[i] - mean) * scale * TNumbers.Read(weight, i)) + (bias is null ? 0 : TNumbers.Read(bias, i));
    }
}
