using System.Text.Json.Nodes;

namespace MLComponents.Tokenization;

/// <summary>The parts of a tokenizer.json besides its model, as they are written.</summary>
internal sealed record TokenizerComponents
{
    /// <summary>The normalizer.</summary>
    public JsonNode? Normalizer { get; init; }

    /// <summary>The pre-tokenizer.</summary>
    public JsonNode? PreTokenizer { get; init; }

    /// <summary>The post-processor.</summary>
    public JsonNode? PostProcessor { get; init; }

    /// <summary>The decoder.</summary>
    public JsonNode? Decoder { get; init; }

    /// <summary>A <c>ByteLevel</c>.</summary>
    public static JsonObject ByteLevel(bool addPrefixSpace, bool trimOffsets, bool useRegex) => new()
    {
        ["type"] = "ByteLevel", ["add_prefix_space"] = addPrefixSpace, ["trim_offsets"] = trimOffsets, ["use_regex"] = useRegex,
    };

    /// <summary>The <c>Sequence</c> of some components; one by itself; null for none.</summary>
    public static JsonNode? Sequence(string name, params JsonNode[] components) => components.Length switch
    {
        0 => null,
        1 => components[0],
        _ => new JsonObject { ["type"] = "Sequence", [name] = new JsonArray(components) },
    };

    /// <summary>A <c>Replace</c> of a text or a regular expression.</summary>
    public static JsonObject Replace(string pattern, string content, bool isRegex = false) => new()
    {
        ["type"] = "Replace", ["pattern"] = new JsonObject { [isRegex ? "Regex" : "String"] = pattern }, ["content"] = content,
    };

    /// <summary>A <c>TemplateProcessing</c> that puts a token before and one behind every text; null where there is neither.</summary>
    public static JsonObject? Template(AddedToken? begin, AddedToken? end, int secondTypeId)
    {
        if (begin is null && end is null) return null;
        var tokens = new JsonObject();
        foreach (AddedToken token in new[] { begin, end }.OfType<AddedToken>())
            tokens[token.Content] = new JsonObject { ["id"] = token.Content, ["ids"] = new JsonArray(token.Id), ["tokens"] = new JsonArray(token.Content) };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. Around("A", begin, end, 0)]),
            ["pair"] = new JsonArray([.. Around("A", begin, end, 0), .. Around("B", begin, end, secondTypeId)]),
            ["special_tokens"] = tokens,
        };
    }

    private static IEnumerable<JsonNode> Around(string sequence, AddedToken? begin, AddedToken? end, int typeId)
    {
        if (begin is not null) yield return Piece("SpecialToken", begin.Content, typeId);
        yield return Piece("Sequence", sequence, typeId);
        if (end is not null) yield return Piece("SpecialToken", end.Content, typeId);
    }

    private static JsonObject Piece(string kind, string id, int typeId) => new() { [kind] = new JsonObject { ["id"] = id, ["type_id"] = typeId } };
}
