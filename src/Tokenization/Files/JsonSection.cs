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

    /// <summary>The number it holds.</summary>
    public double Number() => element.ValueKind == JsonValueKind.Number ? element.GetDouble() : throw Wrong("a number");

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
