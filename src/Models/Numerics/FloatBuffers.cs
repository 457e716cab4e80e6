using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Float32 memory for the inside of a function, kept for the next one. The allocator would place what a step keeps for its gradients into the holes that such short-lived
/// matrices leave, so that the next of them needs new memory.
/// </summary>
/// <remarks>One instance serves one thread at a time; there are as many as functions ran at once. A buffer keeps at most 16 MB.</remarks>
internal sealed class FloatBuffers : IDisposable
{
    /// <summary>The numbers of the largest matrix whose memory is kept.</summary>
    public const long MostKept = 1 << 22;

    private static readonly ConcurrentBag<FloatBuffers> s_free = [];

    private readonly List<Buffer> _buffers = [];
    private int _used;

    /// <summary>Buffers that nobody uses; they go back when this is disposed, and every tensor that was got from them with them.</summary>
    public static FloatBuffers Rent() => s_free.TryTake(out FloatBuffers? free) ? free : new FloatBuffers();

    /// <summary>An uninitialised matrix <c>[rows, columns]</c> in the next buffer, until this is disposed.</summary>
    public Tensor Matrix(long rows, long columns)
    {
        if (_used == _buffers.Count) _buffers.Add(new Buffer());
        return _buffers[_used++].Matrix(rows, columns);
    }

    /// <summary>A copy in float32 of a tensor <c>[..., columns]</c> as a matrix.</summary>
    public Tensor Widen(Tensor source, long columns)
    {
        using Tensor rows = source.reshape(-1, columns);
        return Matrix(rows.shape[0], columns).copy_(rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Buffer buffer in _buffers) buffer.GiveUpView();
        _used = 0;
        s_free.Add(this);
    }

    private sealed class Buffer
    {
        private Tensor? _memory;
        private Tensor? _view;

        public Tensor Matrix(long rows, long columns)
        {
            using var ordinary = inference_mode(false); // memory that was made in a caller's inference mode could be used in no other
            long length = rows * columns;
            if (length > MostKept) return _view = empty(rows, columns, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
            if (_memory is null || _memory.shape[0] < length)
            {
                _memory?.Dispose();
                _memory = empty(length, dtype: ScalarType.Float32, device: CPU).DetachFromDisposeScope();
            }

            return _view = _memory.as_strided([rows, columns], [columns, 1]).DetachFromDisposeScope();
        }

        public void GiveUpView()
        {
            _view?.Dispose();
            _view = null;
        }
    }
}
