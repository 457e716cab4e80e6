using System.Text.Json;

namespace MLComponents.Tokenization.Tests;

/// <summary>One line of a golden-offsets file.</summary>
internal sealed class GoldenLine
{
    private readonly JsonElement _json;

    private GoldenLine(JsonElement json) => _json = json;

    public string Kind => _json.GetProperty("kind").GetString()!;

    public string Text => _json.GetProperty("text").GetString()!;

    public bool AddSpecialTokens => _json.GetProperty("add_special_tokens").GetBoolean();

    public int[] Ids => [.. _json.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];

    public string DecodedSkip => _json.GetProperty("decoded_skip").GetString()!;

    public string Decoded => _json.GetProperty("decoded").GetString()!;

    /// <summary>All lines of a file.</summary>
    public static IEnumerable<GoldenLine> Read(string path) => File.ReadLines(path).Where(line => line.Length > 0).Select(line => new GoldenLine(JsonDocument.Parse(line).RootElement));

    /// <summary>What a tokenizer does differently on this text, or null.</summary>
    public string? Difference(PretrainedTokenizer tokenizer)
    {
        Encoding actual = tokenizer.Encode(Text, AddSpecialTokens);
        int[] ids = Ids;
        return Compare("ids", Json(ids), Json(actual.Ids))
            ?? Compare("ids of EncodeIds", Json(ids), Json(tokenizer.EncodeIds(Text, AddSpecialTokens)))
            ?? Compare("tokens", Given("tokens"), Json(actual.Tokens))
            ?? Compare("offsets", Given("offsets"), Json(actual.GetCodePointOffsets().Select(offset => new[] { offset.Start, offset.End })))
            ?? Compare("special_tokens_mask", Given("special_tokens_mask"), Json(actual.SpecialTokensMask.Select(special => special ? 1 : 0)))
            ?? Compare("word_ids", Given("word_ids"), Json(actual.WordIds))
            ?? Compare("decoded", Json(Decoded), Json(tokenizer.Decode(ids, skipSpecialTokens: false)))
            ?? Compare("decoded_skip", Json(DecodedSkip), Json(tokenizer.Decode(ids, skipSpecialTokens: true)));
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value);

    // Spelled again, so that escapes do not matter.
    private string Given(string name) => Json(JsonSerializer.Deserialize<JsonElement>(_json.GetProperty(name).GetRawText()) is { ValueKind: JsonValueKind.Array } array
        ? array.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? (object)item.GetString()! : item).ToArray()
        : []);

    private string? Compare(string what, string expected, string actual) => expected == actual
        ? null
        : $"{Kind} {Json(Text)} (special tokens {AddSpecialTokens}): {what}\n  expected {expected}\n  actual   {actual}";
}
