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

    /// <summary>Calls <paramref name="body"/>(item, first element, count) for every chunk of every item, all in parallel.</summary>
    public static void ForEachChunk<T>(IReadOnlyList<T> items, Func<T, long> lengthOf, Action<T, long, int> body)
    {
        var chunks = new List<(T Item, long Start, int Count)>();
        foreach (T item in items)
        {
            long length = lengthOf(item);
            for (long start = 0; start < length; start += ChunkSize) chunks.Add((item, start, (int)Math.Min(ChunkSize, length - start)));
        }

        ForEach(chunks.Count, index => body(chunks[(int)index].Item, chunks[(int)index].Start, chunks[(int)index].Count));
    }

    /// <summary>Calls <paramref name="body"/> for 0, 1, 2, ... below <paramref name="count"/>, on as many threads as the backend uses.</summary>
    public static void ForEach(long count, Action<long> body)
    {
        if (count == 1) body(0);
        else if (count > 1) Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, get_num_threads()) }, body);
    }

    /// <summary>Calls <paramref name="body"/>(first element, count) for every chunk of <paramref name="length"/> elements, in parallel.</summary>
    public static void ForEachChunk(long length, Action<long, int> body)
    {
        ForEach((length + ChunkSize - 1) / ChunkSize, chunk =>
        {
            long start = chunk * ChunkSize;
            body(start, (int)Math.Min(ChunkSize, length - start));
        });
    }
}
