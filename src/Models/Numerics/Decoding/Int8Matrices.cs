using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Copies of matrices in eight bits. Their memory lives as long as this object.</summary>
internal sealed unsafe class Int8Matrices
{
    private readonly List<nint> _memory = [];

    /// <summary>Frees the memory. Batches hold on to the object, so that nobody reads it any more.</summary>
    ~Int8Matrices()
    {
        foreach (nint memory in _memory) NativeMemory.AlignedFree((void*)memory);
    }

    /// <summary>The matrix in eight bits; the bias stays as and where it is.</summary>
    /// <param name="matrix">A matrix of a model.</param>
    /// <param name="dtype">The element type of the model.</param>
    public FusedMatrix Copy(FusedMatrix matrix, ScalarType dtype)
    {
        nint stride = Int8Numbers.BytesOf(matrix.InWidth);
        var memory = (nint)NativeMemory.AlignedAlloc((nuint)(matrix.Outputs * stride), 64);
        _memory.Add(memory);
        Parallel.For(0, matrix.Outputs, static () => Array.Empty<float>(), (output, _, buffer) =>
        {
            if (buffer.Length == 0) buffer = new float[matrix.InWidth];
            nint first = (nint)output * matrix.InWidth;
            for (int i = 0; i < buffer.Length; i++)
                buffer[i] = dtype == ScalarType.Float32 ? Float32Numbers.Read((void*)matrix.Weights, first + i) : BFloat16Numbers.Read((void*)matrix.Weights, first + i);
            Int8Numbers.Store(buffer, (byte*)memory + (output * stride));
            return buffer;
        }, static _ => { });
        return matrix with { Weights = memory };
    }
}
