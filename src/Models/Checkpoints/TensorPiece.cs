using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A part of a tensor: what a thread reads at once.</summary>
/// <param name="Begin">The first byte in the content.</param>
/// <param name="Stored">The element type there.</param>
/// <param name="Destination">The whole tensor that it is a part of, flat.</param>
/// <param name="First">Its first element.</param>
/// <param name="Count">The number of its elements.</param>
/// <param name="Address">Where in memory the part is, if the bytes can go there as they are; else 0.</param>
internal readonly record struct TensorPiece(long Begin, ScalarType Stored, Tensor Destination, long First, int Count, nint Address)
{
    /// <summary>Large enough that a call costs nothing, small enough to keep all threads at the same end of the file, and a buffer of it in a core's cache.</summary>
    public const int MostBytes = 1 << 20;

    /// <summary>Divides a tensor that is stored in order.</summary>
    public static IEnumerable<TensorPiece> Of(StoredTensor entry, Tensor flat)
    {
        int size = SafetensorsType.SizeOf(entry.DType), most = MostBytes / size;
        nint address = flat.dtype == entry.DType && flat.device_type == DeviceType.CPU ? TensorSpans.AddressOf(flat) : 0;
        for (long first = 0; first < flat.NumberOfElements; first += most)
        {
            nint here = address == 0 ? 0 : address + (nint)(first * size);
            yield return new TensorPiece(entry.Begin + first * size, entry.DType, flat, first, (int)Math.Min(most, flat.NumberOfElements - first), here);
        }
    }
}
