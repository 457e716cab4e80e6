namespace MLComponents.Models;

/// <summary>A cache that grows with the text. Its room doubles when it is full, so that adding a token costs the same however long the text is.</summary>
public sealed class DynamicCache : KeyValueCache
{
    /// <summary>A cache for any model. It holds all tokens of all layers, of sliding ones too, and can always be cropped.</summary>
    public DynamicCache()
        : base([])
    {
    }

    /// <summary>
    /// A cache whose sliding layers hold only the tokens that the next one sees, the window less one. Their room is at most twice the window, so that the memory
    /// of a model whose layers all slide has a bound. It cannot be cropped once tokens were dropped.
    /// </summary>
    /// <param name="config">The model.</param>
    public DynamicCache(DecoderConfig config)
        : base(Layers(config))
    {
    }

    private DynamicCache(IEnumerable<CacheLayer> layers)
        : base(layers)
    {
    }

    /// <inheritdoc/>
    public override DynamicCache Clone() => new(CloneLayers()) { RotaryLength = RotaryLength };

    private static IEnumerable<CacheLayer> Layers(DecoderConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Enumerable.Range(0, config.LayerCount).Select(layer => new CacheLayer(config.WindowOf(layer)));
    }
}
