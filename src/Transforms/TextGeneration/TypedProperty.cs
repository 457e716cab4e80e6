using System.Text.Json;

namespace MLComponents.Transforms;

/// <summary>A property that every valid JSON has, of a type that a column has, too.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The schema's name of its type: string, integer, number or boolean.</param>
internal sealed record TypedProperty(string Name, string Type)
{
    private static readonly string[] s_types = ["string", "integer", "number", "boolean"];

    /// <summary>The required properties of the object that a schema describes; none where it describes something else. What a schema may say is checked elsewhere.</summary>
    /// <exception cref="FormatException">It is not JSON.</exception>
    public static IReadOnlyList<TypedProperty> Of(string schema)
    {
        try
        {
            JsonElement root = JsonElement.Parse(schema);
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object) return [];
            HashSet<string?> required = root.TryGetProperty("required", out JsonElement names) && names.ValueKind == JsonValueKind.Array
                ? [.. names.EnumerateArray().Where(static name => name.ValueKind == JsonValueKind.String).Select(static name => name.GetString())]
                : [];
            return [.. properties.EnumerateObject().Where(property => required.Contains(property.Name)).Select(static property => new TypedProperty(property.Name, TypeOf(property.Value) ?? "")).Where(static property => s_types.Contains(property.Type))];
        }
        catch (JsonException error)
        {
            throw new FormatException($"The JSON schema is not valid JSON: {error.Message}", error);
        }
    }

    private static string? TypeOf(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
}
