using System.Text.Json;

namespace MLComponents.Models;

/// <summary>One key of a <c>config.json</c>, or a few that belong together: how it gets into a configuration, and out again.</summary>
/// <param name="Read">Gives the configuration with what the file says; as it was where the file says nothing.</param>
/// <param name="Write">Writes the key.</param>
internal sealed record ConfigKey(Func<DecoderConfig, ConfigReader, DecoderConfig> Read, Action<DecoderConfig, Utf8JsonWriter> Write)
{
    /// <summary>An integer.</summary>
    public static ConfigKey Integer(string name, Func<DecoderConfig, int> get, Func<DecoderConfig, int, DecoderConfig> set) => new(
        (config, json) => json.IntOrNull(name) is { } value ? set(config, value) : config,
        (config, json) => json.WriteNumber(name, get(config)));

    /// <summary>A number.</summary>
    /// <param name="name">The key.</param>
    /// <param name="get">The value.</param>
    /// <param name="set">The configuration with another value.</param>
    /// <param name="otherwise">A key that is read where the first one is absent, or null.</param>
    public static ConfigKey Number(string name, Func<DecoderConfig, double> get, Func<DecoderConfig, double, DecoderConfig> set, string? otherwise = null) => new(
        (config, json) => (json.DoubleOrNull(name) ?? (otherwise is null ? null : json.DoubleOrNull(otherwise))) is { } value ? set(config, value) : config,
        (config, json) => json.WriteReal(name, get(config)));

    /// <summary>True or false.</summary>
    public static ConfigKey Flag(string name, Func<DecoderConfig, bool> get, Func<DecoderConfig, bool, DecoderConfig> set) => new(
        (config, json) => set(config, json.Bool(name, get(config))),
        (config, json) => json.WriteBoolean(name, get(config)));
}
