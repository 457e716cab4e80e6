using System.Text.Json;

namespace MLComponents.Tokenization.Tests;

/// <summary>Compares encodings with lines of golden files, property by property, and collects what differs.</summary>
internal sealed class Expected(string title)
{
    private readonly List<string> _differences = [];
    private int _compared;

    /// <summary>Compares the properties that a line has with an encoding.</summary>
    public void Compare(JsonElement expected, Encoding actual, string context)
    {
        Compare(expected, "ids", actual.Ids, context);
        Compare(expected, "tokens", actual.Tokens, context);
        Compare(expected, "type_ids", actual.TypeIds, context);
        Compare(expected, "attention_mask", actual.AttentionMask.Select(attended => attended ? 1 : 0), context);
        Compare(expected, "special_tokens_mask", actual.SpecialTokensMask.Select(special => special ? 1 : 0), context);
        Compare(expected, "offsets", actual.GetCodePointOffsets().Select(offset => new[] { offset.Start, offset.End }), context);
        Compare(expected, "word_ids", actual.WordIds, context);
        Compare(expected, "sequence_ids", actual.SequenceIds, context);
    }

    /// <summary>Compares a property, if the line has it.</summary>
    public void Compare<T>(JsonElement expected, string property, T actual, string context)
    {
        if (!expected.TryGetProperty(property, out JsonElement value)) return;
        _compared++;
        string given = Normal(value), found = JsonSerializer.Serialize(actual);
        if (given != found) _differences.Add($"{context}: {property}\n  expected {given}\n  actual   {found}");
    }

    /// <summary>Adds a difference.</summary>
    public void Differs(string what) => _differences.Add(what);

    /// <summary>Fails with the first differences, or where nothing was compared.</summary>
    public void AssertEqual()
    {
        Assert.True(_compared > 0, $"{title}: nothing was compared");
        Assert.True(_differences.Count == 0, $"{title}: {_differences.Count} of {_compared} comparisons differ. The first:\n{string.Join('\n', _differences.Take(3))}");
    }

    // Spelled again, so that escapes do not matter.
    private static string Normal(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Normal)) + "]",
        JsonValueKind.String => JsonSerializer.Serialize(value.GetString()),
        _ => value.GetRawText(),
    };
}
