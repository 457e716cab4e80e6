namespace MLComponents.Models;

/// <summary>
/// Where the keys and values of a model's layers lie. Layers that see everything have pages of their own, apart from layers that see a window, so that the pages of these
/// can be let go of when the window has passed.
/// </summary>
internal sealed class CacheLayout
{
    private readonly (int Kind, int Place)[] _layers;

    /// <summary>The layout of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="elementSize">Bytes of one number.</param>
    public CacheLayout(DecoderConfig config, int elementSize)
    {
        int?[] windows = [.. Enumerable.Range(0, config.LayerCount).Select(config.WindowOf)];
        int?[] kinds = [.. windows.Distinct()];
        _layers = new (int, int)[windows.Length];
        var counts = new int[kinds.Length];
        for (int layer = 0; layer < windows.Length; layer++)
        {
            int kind = Array.IndexOf(kinds, windows[layer]);
            _layers[layer] = (kind, counts[kind]++);
        }

        Kinds = [.. kinds.Select((window, kind) => new CachePages(config, counts[kind], window, elementSize))];
    }

    /// <summary>The kinds of pages; each layer is of one of them.</summary>
    public CachePages[] Kinds { get; }

    /// <summary>The distance of two tokens' values, in elements; the same in all pages.</summary>
    public int ValueStride => Kinds[0].ValueStride;

    /// <summary>Of which kind a layer's pages are, and which of their layers it is.</summary>
    public (int Kind, int Place) Of(int layer) => _layers[layer];
}
