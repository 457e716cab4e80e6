using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A cache that grows with the text. Its room doubles when it is full, so that adding a token costs the same however long the text is.</summary>
public sealed class DynamicCache : KeyValueCache
{
    private const int FirstCapacity = 64;

    private readonly List<Layer> _layers = [];
    private bool _disposed;

    /// <inheritdoc/>
    public override int Length => _layers.Count == 0 ? 0 : _layers[0].Length;

    /// <inheritdoc/>
    internal override (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (_layers.Count <= layer) _layers.Add(new Layer());
        return _layers[layer].Append(keys, values);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        foreach (Layer layer in _layers) layer.Dispose();
        _layers.Clear();
    }

    private sealed class Layer : IDisposable
    {
        private Tensor? _keys;
        private Tensor? _values;

        public int Length { get; private set; }

        public (Tensor Keys, Tensor Values) Append(Tensor keys, Tensor values)
        {
            using var noGradient = no_grad();
            int added = (int)keys.shape[2];
            _keys = Place(_keys, keys);
            _values = Place(_values, values);
            Length += added;
            return (_keys.narrow(2, 0, Length), _values.narrow(2, 0, Length));
        }

        public void Dispose()
        {
            _keys?.Dispose();
            _values?.Dispose();
        }

        private Tensor Place(Tensor? room, Tensor added)
        {
            using var scope = NewDisposeScope();
            long[] shape = added.shape;
            int needed = Length + (int)shape[2];
            if (room is null || room.shape[2] < needed)
            {
                Tensor larger = empty(
                    [shape[0], shape[1], Math.Max(FirstCapacity, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed)), shape[3]],
                    added.dtype, added.device);
                if (room is not null) larger.narrow(2, 0, Length).copy_(room.narrow(2, 0, Length));
                room?.Dispose();
                room = larger.DetachFromDisposeScope();
            }

            room.narrow(2, Length, shape[2]).copy_(added);
            return room;
        }
    }
}
