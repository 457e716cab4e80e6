using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Moves raw little-endian elements in and out of tensors, a bounded piece at a time.</summary>
internal static class TensorBytes
{
    /// <summary>Small enough for a cache-friendly conversion, large enough that a call costs nothing beside the copy.</summary>
    private const int PieceBytes = 1 << 24;

    /// <summary>Fills a tensor.</summary>
    /// <param name="destination">Any device and element type; contiguous.</param>
    /// <param name="type">The element type of the bytes.</param>
    /// <param name="read">Fills the span it is given with the next bytes.</param>
    public static void Fill(Tensor destination, ScalarType type, SpanReader read)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor flat = destination.detach().view(-1);
        int size = SafetensorsType.SizeOf(type);
        bool straight = destination.dtype == type && destination.device_type == DeviceType.CPU;
        long pieceElements = PieceBytes / size;
        Tensor? staging = straight ? null : empty([Math.Min(flat.NumberOfElements, pieceElements)], type, CPU);
        for (long start = 0; start < flat.NumberOfElements; start += pieceElements)
        {
            using var piece = NewDisposeScope();
            long count = Math.Min(pieceElements, flat.NumberOfElements - start);
            Tensor target = flat.narrow(0, start, count);
            Tensor buffer = staging is null ? target : staging.narrow(0, 0, count);
            read(buffer.bytes);
            if (staging is not null) target.copy_(buffer);
        }
    }

    /// <summary>Writes a tensor's elements.</summary>
    /// <param name="source">Any device and element type.</param>
    /// <param name="type">The element type to write.</param>
    /// <param name="stream">Where to.</param>
    public static void Write(Tensor source, ScalarType type, Stream stream)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor flat = source.detach().contiguous().view(-1);
        long pieceElements = PieceBytes / SafetensorsType.SizeOf(type);
        for (long start = 0; start < flat.NumberOfElements; start += pieceElements)
        {
            using var piece = NewDisposeScope();
            long count = Math.Min(pieceElements, flat.NumberOfElements - start);
            stream.Write(flat.narrow(0, start, count).to(type, CPU).bytes);
        }
    }

    /// <summary>Fills a span with the next bytes of something.</summary>
    public delegate void SpanReader(Span<byte> destination);
}
