using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The ways to hold keys and values.</summary>
public enum CacheKind
{
    /// <summary>Grows and holds everything.</summary>
    Dynamic,

    /// <summary>Grows; sliding layers hold their window.</summary>
    DynamicForModel,

    /// <summary>Does not grow; sliding layers hold their window.</summary>
    Static,
}

/// <summary>Makes caches of a kind.</summary>
internal static class CacheKinds
{
    public static KeyValueCache Make(this CacheKind kind, DecoderConfig config, int rows, int maxLength, ScalarType dtype = ScalarType.Float32) => kind switch
    {
        CacheKind.Dynamic => new DynamicCache(),
        CacheKind.DynamicForModel => new DynamicCache(config),
        CacheKind.Static => new StaticCache(config, rows, maxLength, dtype),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of cache."),
    };
}
