using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The Euclidean norm over all gradients of a model, summed in a fixed order.</summary>
internal static class GradientNorm
{
    /// <summary>The norm; parameters without a gradient count as zero. Not finite when any gradient is not.</summary>
    public static double Compute(IEnumerable<Tensor> parameters)
    {
        double sum = 0;
        foreach (Tensor parameter in parameters)
        {
            using Tensor? gradient = parameter.grad;
            if (gradient is not null) sum += SumOfSquares(gradient);
        }

        return Math.Sqrt(sum);
    }

    /// <summary>Σ g², by chunks of float32 sums added in float64.</summary>
    public static double SumOfSquares(Tensor gradient)
    {
        bool isFloat32 = gradient.dtype == ScalarType.Float32;
        if (gradient.device_type != DeviceType.CPU || !(isFloat32 || gradient.dtype == ScalarType.BFloat16))
        {
            using Tensor wide = gradient.to_type(ScalarType.Float32);
            using Tensor norm = wide.norm();
            double value = norm.ToDouble();
            return value * value;
        }

        using Tensor contiguous = gradient.contiguous();
        nint address = TensorSpans.AddressOf(contiguous);
        long length = contiguous.numel();
        var partial = new double[(length + TensorSpans.ChunkSize - 1) / TensorSpans.ChunkSize];
        TensorSpans.ForEachChunk(length, (start, count) => partial[start / TensorSpans.ChunkSize] = isFloat32
            ? SumFloat32(address, start, count)
            : SumBFloat16(address, start, count));
        return partial.Sum();
    }

    private static unsafe double SumFloat32(nint address, long start, int count)
    {
        float* data = (float*)address + start;
        Vector256<float> sum = default;
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> g = Vector256.Load(data + i);
            sum += g * g;
        }

        double total = Vector256.Sum(sum);
        for (; i < count; i++) total += (double)data[i] * data[i];
        return total;
    }

    private static unsafe double SumBFloat16(nint address, long start, int count)
    {
        ushort* data = (ushort*)address + start;
        Vector256<float> sum = default;
        int i = 0;
        for (; i <= count - BFloat16Vector.Count; i += BFloat16Vector.Count)
        {
            Vector256<float> g = BFloat16Vector.Load(data + i);
            sum += g * g;
        }

        double total = Vector256.Sum(sum);
        for (; i < count; i++)
        {
            float g = BitConverter.UInt32BitsToSingle((uint)data[i] << 16);
            total += (double)g * g;
        }

        return total;
    }
}
