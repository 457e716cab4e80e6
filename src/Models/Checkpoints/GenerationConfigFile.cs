using System.Text.Json;

namespace MLComponents.Models;

/// <summary>The <c>generation_config.json</c> of a folder. It is kept as it is, whatever it says, so that it comes back out of a save.</summary>
internal static class GenerationConfigFile
{
    public const string Name = "generation_config.json";

    private const int MaximumBytes = 1 << 20;

    /// <summary>Reads the file.</summary>
    /// <returns>Its content, or null where there is none.</returns>
    /// <exception cref="FormatException">It is no JSON object.</exception>
    public static byte[]? Read(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, Name));
        if (!file.Exists) return null;
        if (file.Length > MaximumBytes) throw new FormatException($"{file.FullName}: has {file.Length} bytes; at most {MaximumBytes} are accepted.");
        byte[] content = File.ReadAllBytes(file.FullName);
        try
        {
            using var document = JsonDocument.Parse(content);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new FormatException($"{file.FullName}: expected a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{file.FullName}: not valid JSON: {exception.Message}", exception);
        }

        return content;
    }

    /// <summary>What the reference writes for a model that nobody has set anything for.</summary>
    public static byte[] Default(DecoderConfig config) => JsonFile.Write(json =>
    {
        json.WriteBoolean("_from_model_config", true);
        if (config.BosTokenId is { } bos) json.WriteNumber("bos_token_id", bos);
        if (config.EosTokenIds.Count == 1) json.WriteNumber("eos_token_id", config.EosTokenIds[0]);
        if (config.EosTokenIds.Count > 1)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int id in config.EosTokenIds) json.WriteNumberValue(id);
            json.WriteEndArray();
        }

        if (config.PadTokenId is { } pad) json.WriteNumber("pad_token_id", pad);
    });
}
