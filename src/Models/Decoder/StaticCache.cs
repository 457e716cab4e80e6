using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A cache whose memory is taken once, when it is made: for many texts of a known size, or where running out of memory midway will not do.</summary>
/// <remarks>
/// Full layers have room for <see cref="MaxLength"/> tokens, sliding ones for twice their window if that is less.
/// <see cref="KeyValueCache.Select"/> and <see cref="KeyValueCache.Repeat"/> take other memory if they change the number of rows.
/// </remarks>
public sealed class StaticCache : KeyValueCache
{
    /// <summary>Takes the memory.</summary>
    /// <param name="config">The model.</param>
    /// <param name="batchSize">The number of rows, at least 1.</param>
    /// <param name="maxLength">The most tokens of a row, padding included; at least 1.</param>
    /// <param name="dtype">The element type of the model's weights.</param>
    /// <param name="device">Where the model is; the CPU if null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1.</exception>
    public StaticCache(DecoderConfig config, int batchSize, int maxLength, ScalarType dtype = ScalarType.Float32, Device? device = null)
        : this(Layers(config, batchSize, maxLength, dtype, device ?? CPU), maxLength)
    {
    }

    private StaticCache(IEnumerable<CacheLayer> layers, int maxLength)
        : base(layers, maxLength) => MaxLength = maxLength;

    /// <summary>The most tokens of a row.</summary>
    public int MaxLength { get; }

    /// <inheritdoc/>
    public override StaticCache Clone() => new(CloneLayers(), MaxLength) { RotaryLength = RotaryLength };

    private static IEnumerable<CacheLayer> Layers(DecoderConfig config, int batchSize, int maxLength, ScalarType dtype, Device device)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        for (int index = 0; index < config.LayerCount; index++)
        {
            var layer = new CacheLayer(config.WindowOf(index), maxLength);
            layer.Allocate(batchSize, config.KeyValueHeadCount, config.HeadSize, dtype, device);
            yield return layer;
        }
    }
}
