using System.Text.Json;

namespace MLComponents.Models;

/// <summary>One key of a <c>generation_config.json</c>.</summary>
/// <param name="Read">Gives the configuration with what the file says; as it was where the file says nothing.</param>
/// <param name="Write">Writes the key where the configuration says something.</param>
/// <param name="Inherit">Gives the first configuration, with the value of the second one where it has none.</param>
internal sealed record GenerationKey(
    Func<GenerationConfig, ConfigReader, GenerationConfig> Read, Action<GenerationConfig, Utf8JsonWriter> Write,
    Func<GenerationConfig, GenerationConfig, GenerationConfig> Inherit)
{
    /// <summary>A key by how its value is got, set, read and written; a null says nothing.</summary>
    public static GenerationKey Of<T>(
        string name, Func<GenerationConfig, T> get, Func<GenerationConfig, T, GenerationConfig> set, Func<ConfigReader, string, T> read, Action<Utf8JsonWriter, T> write) => new(
        (config, json) => read(json, name) is { } value ? set(config, value) : config,
        (config, json) =>
        {
            if (get(config) is not { } value) return;
            json.WritePropertyName(name);
            write(json, value);
        },
        (over, under) => get(over) is null && get(under) is { } value ? set(over, value) : over);
}
