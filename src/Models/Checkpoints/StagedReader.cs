using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Reads tensors whose element type, device or order of elements differs from their destination's, through one small buffer.</summary>
internal sealed class StagedReader(Content content) : IDisposable
{
    /// <summary>Fits a core's share of cache, so that what is read is still there when it is converted.</summary>
    private const int BufferBytes = 1 << 21;

    private Tensor? _buffer;

    /// <summary>Reads one tensor.</summary>
    /// <param name="entry">What to read.</param>
    /// <param name="destination">Of the same shape, contiguous.</param>
    public void Read(StoredTensor entry, Tensor destination)
    {
        if (destination.NumberOfElements == 0) return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (_buffer?.dtype != entry.DType)
        {
            _buffer?.Dispose();
            _buffer = empty([BufferBytes / SafetensorsType.SizeOf(entry.DType)], entry.DType, CPU).DetachFromDisposeScope();
        }

        Tensor target = destination.detach();
        StridedLayout layout;
        if (entry.Strides is null)
        {
            target = target.view(-1);
            layout = StridedLayout.Of(target.shape, [1]);
        }
        else
        {
            layout = StridedLayout.Of([.. entry.Shape], [.. entry.Strides]);
            target = target.permute(layout.Order);
        }

        Copy(new Step(entry, layout, _buffer), target, 0, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer?.Dispose();

    /// <summary>Copies everything from a dimension inwards: as many rows at once as the buffer holds, or row by row where one is larger than the buffer.</summary>
    private void Copy(in Step step, Tensor target, int dimension, long element)
    {
        (StoredTensor entry, StridedLayout layout, Tensor buffer) = step;
        int size = SafetensorsType.SizeOf(entry.DType);
        long inner = layout.Span(dimension + 1), stride = layout.Strides[dimension], rows = target.shape[0], capacity = buffer.shape[0];
        if (inner > capacity)
        {
            for (long row = 0; row < rows; row++)
            {
                using var scope = NewDisposeScope();
                Copy(step, target.select(0, row), dimension + 1, element + row * stride);
            }

            return;
        }

        long most = 1 + (capacity - inner) / stride;
        for (long row = 0; row < rows; row += most)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(most, rows - row), span = (count - 1) * stride + inner;
            Tensor part = buffer.narrow(0, 0, span);
            content.Read(entry.Begin + (element + row * stride) * size, part.bytes);
            target.narrow(0, row, count).copy_(part.as_strided([count, .. layout.Sizes[(dimension + 1)..]], layout.Strides[dimension..]));
        }
    }

    private readonly record struct Step(StoredTensor Entry, StridedLayout Layout, Tensor Buffer);
}
