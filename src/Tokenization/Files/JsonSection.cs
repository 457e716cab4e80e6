using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>A value of a JSON file that knows its path, so that errors can name it.</summary>
internal readonly struct JsonSection(string file, string path, JsonElement element)
{
    /// <summary>The file it stands in.</summary>
    public string File => file;

    /// <summary>The path to it, such as <c>pre_tokenizer.pretokenizers[0]</c>.</summary>
    public string Path => path;

    /// <summary>Whether it is absent or null.</summary>
    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>Whether it is a string.</summary>
    public bool IsString => element.ValueKind == JsonValueKind.String;

    /// <summary>Whether it is an object.</summary>
    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    /// <summary>A property; null where it is absent.</summary>
    public JsonSection this[string name]
    {
        get
        {
            if (!IsObject) throw Wrong("an object");
            string inner = path.Length == 0 ? name : $"{path}.{name}";
            return new JsonSection(file, inner, element.TryGetProperty(name, out JsonElement value) ? value : default);
        }
    }

    /// <summary>The elements of an array.</summary>
    public IReadOnlyList<JsonSection> Items()
    {
        if (element.ValueKind != JsonValueKind.Array) throw Wrong("an array");
        var items = new List<JsonSection>();
        foreach (JsonElement item in element.EnumerateArray()) items.Add(new JsonSection(file, $"{path}[{items.Count}]", item));
        return items;
    }

    /// <summary>The string it holds.</summary>
    public string String()
    {
        if (!IsString) throw Wrong("a string");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong("a string of valid Unicode");
        }
    }

    /// <summary>The truth value it holds, or a default where it is absent.</summary>
    public bool Boolean(bool absent) => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ when IsNull => absent,
        _ => throw Wrong("true or false"),
    };

    /// <summary>The token id it holds.</summary>
    public int Id() => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id) && id is >= 0 and < Vocabulary.IdLimit
        ? id
        : throw Wrong($"a token id from 0 to {Vocabulary.IdLimit - 1}");

    /// <summary>The string it holds, or a default where it is absent.</summary>
    public string String(string absent) => IsNull ? absent : String();

    /// <summary>The whole number of 0 or more that it holds, or a default where it is absent; negative defaults say that it must be there.</summary>
    public int Count(int absent, int maximum = int.MaxValue)
    {
        if (IsNull && absent >= 0) return absent;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int count) && count >= 0 && count <= maximum
            ? count
            : throw Wrong(maximum == int.MaxValue ? "a whole number of 0 or more" : $"a whole number from 0 to {maximum}");
    }

    /// <summary>The one code point it holds.</summary>
    public int CodePoint()
    {
        string text = String();
        int codePoint = text.Length == 0 ? -1 : CodePoints.At(text, 0, out int length) is var found && length == text.Length ? found : -1;
        return codePoint >= 0 ? codePoint : throw Wrong("a single character");
    }

    /// <summary>The bytes that it holds in base64.</summary>
    public byte[] Base64() => IsString && element.TryGetBytesFromBase64(out byte[]? bytes) ? bytes : throw Wrong("a text in base64");

    /// <summary>The names and values of an object.</summary>
    public IEnumerable<(string Name, JsonSection Value)> Properties()
    {
        if (!IsObject) throw Wrong("an object");
        var properties = new List<(string, JsonSection)>();
        foreach (JsonProperty property in element.EnumerateObject())
            properties.Add((property.Name, new JsonSection(file, path.Length == 0 ? property.Name : $"{path}.{property.Name}", property.Value)));
        return properties;
    }

    /// <summary>The number it holds.</summary>
    public double Number() => element.ValueKind == JsonValueKind.Number && double.IsFinite(element.GetDouble()) ? element.GetDouble() : throw Wrong("a finite number");

    /// <summary>The error that the value is not what it must be.</summary>
    public FormatException Wrong(string expected)
    {
        string found = IsNull ? "nothing" : Shorten(element.GetRawText());
        return new FormatException($"{file}: {(path.Length == 0 ? "the file" : path)} must be {expected}, but is {found}.");
    }

    /// <summary>The error that a component is valid but not known here.</summary>
    /// <param name="found">What was found.</param>
    /// <param name="supported">What would be supported.</param>
    public NotSupportedException Unsupported(string found, string supported) =>
        new($"{file}: {path} is {found}, which is not supported; supported: {supported}.");

    /// <summary>The error for a <c>type</c> that is not known.</summary>
    public NotSupportedException UnsupportedType(params string[] supported) =>
        Unsupported($"of the type {this["type"].String()}", string.Join(", ", supported));

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
