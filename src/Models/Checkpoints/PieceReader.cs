using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Reads parts of tensors: straight into their memory, or through a small buffer where the element type, the device or the order of elements differs. One thread's.</summary>
internal sealed unsafe class PieceReader(Content content) : IDisposable
{
    /// <summary>libtorch copies up to so many elements in the thread that asks; more it would divide among threads that wait for each other.</summary>
    private const int CopiedAtOnce = 32_768;

    private Tensor? _buffer;

    /// <summary>Reads a part of a tensor that is stored in order.</summary>
    public void Read(in TensorPiece piece)
    {
        int bytes = piece.Count * SafetensorsType.SizeOf(piece.Stored);
        if (piece.Address != 0)
        {
            content.Read(piece.Begin, new Span<byte>((void*)piece.Address, bytes));
            return;
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor buffer = BufferOf(piece.Stored);
        content.Read(piece.Begin, new Span<byte>((void*)TensorSpans.AddressOf(buffer), bytes));
        int atOnce = piece.Destination.device_type == DeviceType.CPU ? CopiedAtOnce : piece.Count;
        for (int first = 0; first < piece.Count; first += atOnce)
        {
            int count = Math.Min(atOnce, piece.Count - first);
            using Tensor target = piece.Destination.narrow(0, piece.First + first, count), source = buffer.narrow(0, first, count);
            target.copy_(source);
        }
    }

    /// <summary>Reads a tensor that is a view with strides.</summary>
    /// <param name="entry">What to read.</param>
    /// <param name="strides">Its strides.</param>
    /// <param name="destination">Of the same shape.</param>
    public void ReadView(StoredTensor entry, IReadOnlyList<long> strides, Tensor destination)
    {
        using var scope = NewDisposeScope();
        var layout = StridedLayout.Of([.. entry.Shape], [.. strides]);
        ReadView(entry, layout, destination.permute(layout.Order), 0, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer?.Dispose();

    /// <summary>Reads everything from a dimension inwards: as many rows at once as the buffer holds, or row by row where one is larger than the buffer.</summary>
    private void ReadView(StoredTensor entry, StridedLayout layout, Tensor target, int dimension, long element)
    {
        Tensor buffer = BufferOf(entry.DType);
        long inner = layout.Span(dimension + 1), stride = layout.Strides[dimension], rows = target.shape[0], capacity = buffer.shape[0];
        if (inner > capacity)
        {
            for (long row = 0; row < rows; row++)
            {
                using Tensor part = target.select(0, row);
                ReadView(entry, layout, part, dimension + 1, element + row * stride);
            }

            return;
        }

        int size = SafetensorsType.SizeOf(entry.DType);
        long most = 1 + (capacity - inner) / stride;
        for (long row = 0; row < rows; row += most)
        {
            long count = Math.Min(most, rows - row), span = (count - 1) * stride + inner;
            content.Read(entry.Begin + (element + row * stride) * size, new Span<byte>((void*)TensorSpans.AddressOf(buffer), (int)(span * size)));
            using Tensor part = target.narrow(0, row, count), source = buffer.as_strided([count, .. layout.Sizes[(dimension + 1)..]], layout.Strides[dimension..]);
            part.copy_(source);
        }
    }

    private Tensor BufferOf(ScalarType type)
    {
        if (_buffer?.dtype == type) return _buffer;
        _buffer?.Dispose();
        return _buffer = empty([TensorPiece.MostBytes / SafetensorsType.SizeOf(type)], type, CPU).DetachFromDisposeScope();
    }
}
