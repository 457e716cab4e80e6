using System.Text.Json;

namespace MLComponents.Tokenization;

/// <summary>
/// Where the parts of a tokenizer.json lie. The file is read once without building anything; the small parts then become elements, the
/// vocabulary and the merges, which are nearly the whole file, are read straight from the bytes.
/// </summary>
internal sealed class TokenizerSections
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    private readonly ReadOnlyMemory<byte> _json;
    private readonly Dictionary<string, Range> _ranges = new(StringComparer.Ordinal);

    /// <summary>Finds the parts.</summary>
    /// <exception cref="FormatException">The file is no JSON object.</exception>
    public TokenizerSections(string file, ReadOnlyMemory<byte> json)
    {
        File = file;
        _json = json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
        try
        {
            var reader = new Utf8JsonReader(_json.Span);
            reader.Read();
            Index(ref reader, "");
            if (reader.Read()) throw new JsonException("there is more behind the end");
            if (!Contains("model")) throw new FormatException($"{file}: model is missing; it must be an object with type, vocab and merges.");
        }
        catch (JsonException problem)
        {
            throw new FormatException($"{file} is not valid JSON: {problem.Message}", problem);
        }
        catch (InvalidOperationException problem)
        {
            throw new FormatException($"{file} has a property name that is not valid Unicode.", problem);
        }
    }

    /// <summary>The name of the file.</summary>
    public string File { get; }

    /// <summary>Whether the file has a part, such as <c>model.merges</c>.</summary>
    public bool Contains(string path) => _ranges.ContainsKey(path);

    /// <summary>The bytes of a part.</summary>
    public ReadOnlySpan<byte> Bytes(string path) => _json.Span[_ranges[path]];

    /// <summary>A part as an element; null where it is absent.</summary>
    public JsonSection Section(string path) => _ranges.TryGetValue(path, out Range range)
        ? new JsonSection(File, path, JsonDocument.Parse(_json[range], Options).RootElement)
        : new JsonSection(File, path, default);

    /// <summary>The file with one of its properties replaced, or put first where it was absent; all else stays byte for byte.</summary>
    public byte[] With(string property, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> json = _json.Span;
        if (_ranges.TryGetValue(property, out Range range)) return [.. json[..range.Start], .. value, .. json[range.End..]];
        int first = json.IndexOf((byte)'{') + 1;
        return [.. json[..first], .. JsonSerializer.SerializeToUtf8Bytes(property), (byte)':', .. value, (byte)',', .. json[first..]];
    }

    // The properties of the file, and those of the model.
    private void Index(ref Utf8JsonReader reader, string prefix)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new FormatException($"{File}: {(prefix.Length == 0 ? "the file" : "model")} must be an object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string path = prefix + reader.GetString();
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            if (path == "model") Index(ref reader, "model.");
            else reader.Skip();
            if (!_ranges.TryAdd(path, start..(int)reader.BytesConsumed)) throw new FormatException($"{File} has the property {path} twice.");
        }
    }
}
