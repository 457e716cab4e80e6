using System.Text.Json;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>Reads values of a <c>config.json</c>; a null counts as absent, and every error names the file, the key, and what was expected.</summary>
internal sealed class ConfigReader(JsonElement element, string source)
{
    private readonly HashSet<string> _asked = [];

    /// <summary>The file, and the object inside it, for messages.</summary>
    public string Source => source;

    public bool Has(string key) => TryGet(key, out _);

    public int Int(string key) => IntOrNull(key) ?? throw Missing(key, "an integer");

    /// <summary>An integer from 1 to a maximum: what memory may be asked for.</summary>
    public int Count(string key, int maximum) => CountOrNull(key, maximum) ?? throw Missing(key, "an integer");

    /// <summary>An integer from 1 to a maximum, or null.</summary>
    public int? CountOrNull(string key, int maximum) =>
        IntOrNull(key) is not { } value ? null
        : value >= 1 && value <= maximum ? value
        : throw new FormatException($"{source}: {key} is {value}; expected from 1 to {maximum}.");

    public int? IntOrNull(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number
        : value.ValueKind == JsonValueKind.Number && value.GetDouble() is var real && real == Math.Truncate(real) && Math.Abs(real) <= int.MaxValue ? (int)real
        : throw Wrong(key, value, "an integer");

    public double Double(string key) => DoubleOrNull(key) ?? throw Missing(key, "a number");

    public double? DoubleOrNull(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Number && double.IsFinite(value.GetDouble()) ? value.GetDouble()
        : throw Wrong(key, value, "a number");

    public bool Bool(string key, bool fallback) =>
        !TryGet(key, out JsonElement value) ? fallback
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(key, value, "true or false");

    public string? StringOrNull(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Wrong(key, value, "a string");

    public ConfigReader? ObjectOrNull(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigReader(value, $"{source}, {key}")
        : throw Wrong(key, value, "an object");

    public IReadOnlyList<string>? StringsOrNull(string key) =>
        ListOrNull(key, "an array of strings", static item => item.ValueKind == JsonValueKind.String ? item.GetString() : null);

    public IReadOnlyList<double>? DoublesOrNull(string key) =>
        ListOrNull<double?>(key, "an array of numbers", static item => item.ValueKind == JsonValueKind.Number ? item.GetDouble() : null)
            ?.Select(number => number!.Value).ToArray();

    /// <summary>An id or a list of ids.</summary>
    public IReadOnlyList<int> Ids(string key)
    {
        if (!TryGet(key, out JsonElement value)) return [];
        if (value.ValueKind != JsonValueKind.Array) return [Int(key)];
        return [.. ListOrNull<int?>(key, "an integer or an array of integers", static item => item.TryGetInt32(out int id) ? id : null)!.Select(id => id!.Value)];
    }

    /// <summary><c>id2label</c>: an object whose keys are the numbers 0, 1, ... as strings.</summary>
    public IReadOnlyList<string>? LabelNames(string key)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(key, value, "an object");
        var byId = new SortedDictionary<int, string>();
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!int.TryParse(property.Name, out int id) || property.Value.ValueKind != JsonValueKind.String)
                throw Wrong(key, value, "an object of numbers and label names");
            byId[id] = property.Value.GetString()!;
        }

        if (byId.Count == 0 || byId.Keys.First() != 0 || byId.Keys.Last() != byId.Count - 1)
            throw Wrong(key, value, "the ids 0, 1, 2, ... without a gap");
        return [.. byId.Values];
    }

    /// <summary>The element type under the new name (<c>dtype</c>) or the old one (<c>torch_dtype</c>).</summary>
    public torch.ScalarType? DType()
    {
        string? old = StringOrNull("torch_dtype");
        return (StringOrNull("dtype") ?? old) switch
        {
            null or "auto" => null,
            "float32" or "torch.float32" or "float" => torch.ScalarType.Float32,
            "float16" or "torch.float16" or "half" => torch.ScalarType.Float16,
            "bfloat16" or "torch.bfloat16" => torch.ScalarType.BFloat16,
            "float64" or "torch.float64" or "double" => torch.ScalarType.Float64,
            var other => throw new NotSupportedException($"{source}: dtype is \"{other}\"; expected float32, bfloat16, float16 or float64."),
        };
    }

    /// <summary>The keys that nobody has asked for, with their JSON without blanks, ordered by key.</summary>
    public IEnumerable<KeyValuePair<string, string>> NotAsked() => element.EnumerateObject()
        .Where(property => !_asked.Contains(property.Name))
        .DistinctBy(property => property.Name)
        .OrderBy(property => property.Name, StringComparer.Ordinal)
        .Select(property => KeyValuePair.Create(property.Name, JsonSerializer.Serialize(property.Value)));

    public FormatException Wrong(string key, JsonElement value, string expected) => new($"{source}: {key} is {Shorten(value.GetRawText())}; expected {expected}.");

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";

    private FormatException Missing(string key, string expected) => new($"{source}: the key {key} is missing; expected {expected}.");

    private bool TryGet(string key, out JsonElement value)
    {
        _asked.Add(key);
        return element.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private IReadOnlyList<T>? ListOrNull<T>(string key, string expected, Func<JsonElement, T?> convert)
    {
        if (!TryGet(key, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, expected);
        return [.. value.EnumerateArray().Select(item => convert(item) ?? throw Wrong(key, value, expected))];
    }
}
