using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Work over the raw memory of CPU tensors, divided into chunks of fixed size that run in parallel.</summary>
internal static class TensorSpans
{
    /// <summary>Elements in a chunk: small enough for the cache of a core, large enough to hide the start of a task.</summary>
    public const int ChunkSize = 1 << 16;

    /// <summary>The address of the first element of a contiguous CPU tensor; valid while the tensor lives.</summary>
    public static unsafe nint AddressOf(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException($"Expected a contiguous tensor in CPU memory, found one of shape [{string.Join(", ", tensor.shape)}] on {tensor.device}.", nameof(tensor));
        if (tensor.numel() == 0) return 0;
        using Tensor detached = tensor.detach();
        using Tensor flat = detached.view(-1);
        using Tensor head = flat.narrow(0, 0, 1); // a span over the whole could exceed 2^31 bytes
        fixed (byte* start = head.bytes) return (nint)start; // native memory: it does not move
    }

    /// <summary>Calls <paramref name="body"/>(first element, count) for every chunk of <paramref name="length"/> elements, in parallel.</summary>
    public static void ForEachChunk(long length, Action<long, int> body)
    {
        long chunks = (length + ChunkSize - 1) / ChunkSize;
        if (chunks <= 1)
        {
            if (length > 0) body(0, (int)length);
            return;
        }

        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, get_num_threads()) }, chunk =>
        {
            long start = chunk * ChunkSize;
            body(start, (int)Math.Min(ChunkSize, length - start));
        });
    }
}
