using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// The keys and values of the tokens that a decoder has seen, so that they need not be computed again. Not for use by two forward passes at once.
/// </summary>
/// <remarks>
/// <para>A token of a row takes <c>2 · layers · key-value heads · head size</c> elements: see <see cref="BytesPerToken"/>.</para>
/// <para>
/// Keys are held as they were rotated. With a rotary embedding whose frequencies depend on the length (dynamic, longrope), cached keys keep the frequencies of
/// their time, as in the reference.
/// </para>
/// <para>Gradients reach the tokens of a forward pass, not those that were cached before it.</para>
/// </remarks>
public abstract class KeyValueCache : IDisposable
{
    private readonly List<CacheLayer> _layers;
    private readonly int? _maximumLength;
    private bool _disposed;

    /// <summary>A cache of some layers.</summary>
    /// <param name="layers">The layers; none if they are those of the first model that uses the cache, and hold all tokens.</param>
    /// <param name="maximumLength">The most tokens there is room for, if the rooms are made.</param>
    private protected KeyValueCache(IEnumerable<CacheLayer> layers, int? maximumLength = null) => (_layers, _maximumLength) = ([.. layers], maximumLength);

    /// <summary>The number of tokens of each row that were seen, padding included. A sliding layer may hold fewer of them.</summary>
    public int Length => _layers.Count == 0 ? 0 : _layers[0].Seen;

    /// <summary>The number of rows; 0 if that is not decided yet.</summary>
    public int BatchSize => _layers.Count == 0 || (Length == 0 && _maximumLength is null) ? 0 : (int)_layers[0].Room!.shape[1];

    /// <summary>The memory taken, in bytes.</summary>
    public long AllocatedBytes => _layers.Sum(layer => layer.Room is { } room ? room.NumberOfElements * room.ElementSize : 0);

    /// <summary>
    /// The length whose rotary frequencies are in use, where they depend on the longest text so far; null if there was none. Kept here, so that texts that are computed
    /// side by side do not change each other's.
    /// </summary>
    internal int? RotaryLength { get; set; }

    /// <summary>What one token of one row takes in a model, in bytes.</summary>
    /// <param name="config">The model.</param>
    /// <param name="dtype">The element type of its weights.</param>
    public static long BytesPerToken(DecoderConfig config, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(config);
        return 2L * config.LayerCount * config.KeyValueHeadCount * config.HeadSize * dtype.ElementSize();
    }

    /// <summary>Forgets the last tokens.</summary>
    /// <param name="length">How many of the first tokens stay; if negative, how many of the last ones go. Nothing happens if there are no more than are to stay.</param>
    /// <exception cref="ArgumentOutOfRangeException">More tokens would go than there are.</exception>
    /// <exception cref="InvalidOperationException">A sliding layer has dropped tokens that it would need now.</exception>
    public void Crop(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int kept = length < 0 ? Length + length : length;
        if (kept < 0) throw new ArgumentOutOfRangeException(nameof(length), length, $"The cache holds {Length} tokens, from which {-(long)length} cannot be removed.");
        if (kept >= Length) return;
        if (_layers.Find(layer => layer.Held < layer.Seen) is { } sliding)
        {
            throw new InvalidOperationException(
                $"A cache of {Length} tokens cannot be cropped to {kept}: its sliding layers hold only the last {sliding.Held}, as their window is {sliding.Window}. "
                + "Use a DynamicCache that was made without a configuration; it holds all tokens of all layers.");
        }

        foreach (CacheLayer layer in _layers) layer.Crop(kept);
    }

    /// <summary>Puts the rows into another order, as a step of a beam search does. Rows that stay where they are cost nothing.</summary>
    /// <param name="beamIndices">For each row the one whose tokens it takes over, <c>[batch]</c>, Int64 or Int32.</param>
    /// <exception cref="ArgumentException">There are not as many indices as rows, or one is out of range.</exception>
    public void Reorder(Tensor beamIndices)
    {
        ArgumentNullException.ThrowIfNull(beamIndices);
        long[] rows = Rows(beamIndices, nameof(beamIndices));
        if (BatchSize > 0 && rows.Length != BatchSize)
            throw new ArgumentException($"There are {rows.Length} beam indices for {BatchSize} rows; expected one for each row. Select changes their number.", nameof(beamIndices));
        Take(rows);
    }

    /// <summary>Repeats each row: rows a, b become a, a, b, b for two times.</summary>
    /// <param name="times">How many rows become of each, at least 1.</param>
    public void Repeat(int times)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        ObjectDisposedException.ThrowIf(_disposed, this);
        Take([.. Enumerable.Range(0, checked(BatchSize * times)).Select(row => (long)(row / times))]);
    }

    /// <summary>Makes these rows, in this order, the only ones.</summary>
    /// <param name="rows">Which rows, <c>[new batch]</c>, Int64 or Int32; a row may be named several times.</param>
    /// <exception cref="ArgumentException">An index is out of range, or there is none.</exception>
    public void Select(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Take(Rows(rows, nameof(rows)));
    }

    /// <summary>Appends the rows of another cache of the same kind and model, which is empty afterwards. Tokens of shorter rows lie behind padding.</summary>
    internal void Join(KeyValueCache other)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ObjectDisposedException.ThrowIf(other._disposed, other);
        if (other.Length == 0) return;
        if (Length == 0)
        {
            foreach (CacheLayer layer in _layers) layer.Dispose();
            _layers.Clear();
            _layers.AddRange(other._layers);
        }
        else
        {
            for (int layer = 0; layer < _layers.Count; layer++)
            {
                _layers[layer].Join(other._layers[layer]);
                other._layers[layer].Dispose();
            }
        }

        List<CacheLayer> fresh = [.. other._layers.Select(static layer => new CacheLayer(layer.Window))];
        other._layers.Clear();
        other._layers.AddRange(fresh);
    }

    /// <summary>Forgets the first tokens: those that are padding in every row.</summary>
    internal void ForgetFirst(int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (CacheLayer layer in _layers) layer.ForgetFirst(count);
    }

    /// <summary>Forgets all tokens. The memory stays for the next text.</summary>
    public void Reset()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (CacheLayer layer in _layers) layer.Reset();
        RotaryLength = null;
    }

    /// <summary>Another cache of the same kind that holds the same: of a prefix that many texts share, for instance.</summary>
    public abstract KeyValueCache Clone();

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (CacheLayer layer in _layers) layer.Dispose();
        _layers.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Refuses a forward pass that the cache cannot serve, before it begins.</summary>
    /// <param name="config">The model.</param>
    /// <param name="batch">The number of rows.</param>
    /// <param name="added">The number of new tokens.</param>
    /// <param name="dtype">The element type of keys and values.</param>
    /// <param name="device">Where they are.</param>
    internal void CheckThatItServes(DecoderConfig config, long batch, int added, ScalarType dtype, Device device)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_layers.Count == 0) _layers.AddRange(Enumerable.Range(0, config.LayerCount).Select(static _ => new CacheLayer(window: null)));
        if (_layers.Count != config.LayerCount)
            throw new ArgumentException($"The cache is for {_layers.Count} layers, the model has {config.LayerCount}; use a cache for one model only.");
        for (int layer = 0; layer < _layers.Count; layer++)
        {
            int? window = config.WindowOf(layer);
            if (_layers[layer].Window is { } held && held != window)
            {
                throw new ArgumentException(
                    $"Layer {layer} of the cache has a window of {held} tokens, that of the model {(window is null ? "has none" : $"one of {window}")}; "
                    + "make the cache from the model's configuration.");
            }

            if (_layers[layer].Seen != Length)
                throw new InvalidOperationException("An earlier forward pass with this cache ended midway, so its layers hold different tokens. Reset it, or make another.");
        }

        if (BatchSize > 0 && batch != BatchSize)
            throw new ArgumentException($"The cache holds {BatchSize} rows, the input has {batch}. Repeat, Select and Reorder change the rows of a cache.");
        if (_layers[0].Room is { } room)
        {
            (long heads, long size) = (room.shape[2], room.shape[4]);
            if (heads != config.KeyValueHeadCount || size != config.HeadSize)
            {
                throw new ArgumentException(
                    $"The cache holds {heads} heads of {size} elements, the model has {config.KeyValueHeadCount} of {config.HeadSize}; use a cache for one model only.");
            }

            if (room.dtype != dtype || room.device_type != device.type || (device.index >= 0 && room.device_index != device.index))
                throw new ArgumentException($"The cache holds {room.dtype} on {room.device}, the model computes {dtype} on {device}; make another cache.");
        }

        if (_maximumLength is { } maximum && (long)Length + added > maximum)
        {
            throw new InvalidOperationException(
                $"The cache has room for {maximum} tokens and holds {Length}; {added} more do not fit, {(long)Length + added} are needed. "
                + "Make it with a larger maxLength, or use a DynamicCache, which grows.");
        }
    }

    /// <summary>Adds the keys and values of new tokens and gives those of all tokens that the layer holds, in the current dispose scope.</summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="keys"><c>[batch, key-value heads, new tokens, head]</c>.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values) => _layers[layer].Append(keys, values);

    /// <summary>A layer, once a model has used the cache.</summary>
    internal CacheLayer Layer(int layer) => _layers[layer];

    /// <summary>How many tokens, the last ones, a layer holds.</summary>
    internal int Held(int layer) => layer < _layers.Count ? _layers[layer].Held : 0;

    private protected IEnumerable<CacheLayer> CloneLayers()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _layers.Select(static layer => layer.Clone());
    }

    private long[] Rows(Tensor indices, string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (indices.ndim != 1 || indices.dtype is not (ScalarType.Int64 or ScalarType.Int32) || indices.shape[0] == 0)
        {
            throw new ArgumentException(
                $"The indices have shape [{string.Join(", ", indices.shape)}] and type {indices.dtype}; expected [rows], at least one, Int64 or Int32.", name);
        }

        using var scope = NewDisposeScope();
        long[] rows = indices.to(ScalarType.Int64).cpu().data<long>().ToArray();
        if (BatchSize > 0 && rows.Any(row => row < 0 || row >= BatchSize))
            throw new ArgumentException($"The row {rows.First(row => row < 0 || row >= BatchSize)} does not exist; expected from 0 to {BatchSize - 1}.", name);
        return rows;
    }

    private void Take(long[] rows)
    {
        if (BatchSize == 0) return;
        if (rows.Length != BatchSize)
        {
            foreach (CacheLayer layer in _layers) layer.Select(rows);
            return;
        }

        long[] moved = [.. Enumerable.Range(0, rows.Length).Select(row => (long)row).Where(row => rows[row] != row)];
        if (moved.Length == 0) return;
        foreach (CacheLayer layer in _layers) layer.Reorder(rows, moved);
    }
}
