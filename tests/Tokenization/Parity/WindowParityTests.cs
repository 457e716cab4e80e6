using System.Text.Json;

namespace MLComponents.Tokenization.Tests;

/// <summary>Pairs, truncation with overlapping windows, padding and batches against the reference.</summary>
public sealed class WindowParityTests
{
    public static IEnumerable<TheoryDataRow<string, string, string>> Pairs() => GoldenSet.Groups("pair", namesTokenizers: true);

    public static IEnumerable<TheoryDataRow<string, string, string>> Batches() => GoldenSet.Groups("texts", namesTokenizers: true);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Pairs))]
    public void Windows_of_pairs_equal_the_reference(string root, string file, string name)
    {
        PretrainedTokenizer tokenizer = GoldenSet.Load(root, name);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(file, name))
        {
            var input = new EncodeInput(line.GetProperty("text").GetString()!, line.GetProperty("pair").GetString());
            string context = line.GetProperty("options").GetRawText() + " " + line.GetProperty("text").GetRawText();
            Compare(expected, line, "windows", context, () =>
            {
                Encoding encoding = tokenizer.Encode(input, Options(line));
                return [encoding, .. encoding.Overflowing];
            });
        }

        expected.AssertEqual();
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Batches))]
    public void Batches_equal_the_reference(string root, string file, string name)
    {
        PretrainedTokenizer tokenizer = GoldenSet.Load(root, name);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(file, name))
        {
            EncodeInput[] texts = [.. line.GetProperty("texts").EnumerateArray().Select(text => (EncodeInput)text.GetString()!)];
            bool overflows = line.GetProperty("options").TryGetProperty("return_overflowing_tokens", out JsonElement wanted) && wanted.GetBoolean();
            Compare(expected, line, "encodings", line.GetProperty("options").GetRawText(), () =>
            {
                IReadOnlyList<Encoding> encodings = tokenizer.EncodeBatch(texts, Options(line), TestContext.Current.CancellationToken);
                return overflows ? [.. encodings.SelectMany(encoding => (Encoding[])[encoding, .. encoding.Overflowing])] : encodings;
            });
        }

        expected.AssertEqual();
    }

    private static void Compare(Expected expected, JsonElement line, string property, string context, Func<IReadOnlyList<Encoding>> encode)
    {
        if (line.TryGetProperty("error", out JsonElement error))
        {
            ArgumentException? problem = Record.Exception(() => encode()) as ArgumentException;
            expected.Compare(JsonSerializer.SerializeToElement(new { failed = true }), "failed", problem is not null, $"{context} must fail: {error.GetRawText()}");
            return;
        }

        IReadOnlyList<Encoding> encodings = encode();
        JsonElement[] windows = [.. line.GetProperty(property).EnumerateArray()];
        if (windows.Length != encodings.Count) expected.Differs($"{context}: {windows.Length} expected, {encodings.Count} found");
        for (int index = 0; index < Math.Min(windows.Length, encodings.Count); index++)
            expected.Compare(windows[index], encodings[index], $"{context}, {property}[{index}]");
    }

    // The options of transformers' call, with its defaults.
    private static EncodingOptions Options(JsonElement line)
    {
        var options = new EncodingOptions();
        foreach (JsonProperty option in line.GetProperty("options").EnumerateObject())
        {
            switch (option.Name)
            {
                case "truncation": options.Truncation = Truncation(option.Value); break;
                case "padding": options.Padding = Padding(option.Value); break;
                case "max_length": options.MaxLength = option.Value.ValueKind == JsonValueKind.Null ? null : option.Value.GetInt32(); break;
                case "stride": options.Stride = option.Value.GetInt32(); break;
                case "padding_side": options.PaddingSide = Enum.Parse<SequenceSide>(option.Value.GetString()!, ignoreCase: true); break;
                case "truncation_side": options.TruncationSide = Enum.Parse<SequenceSide>(option.Value.GetString()!, ignoreCase: true); break;
                case "pad_to_multiple_of": options.PadToMultipleOf = option.Value.ValueKind == JsonValueKind.Null ? null : option.Value.GetInt32(); break;
                case "add_special_tokens": options.AddSpecialTokens = option.Value.GetBoolean(); break;
                case "return_overflowing_tokens": break;
                default: throw new NotSupportedException($"The option {option.Name} of a golden line is not known to this test.");
            }
        }

        if (line.TryGetProperty("pad_id", out JsonElement pad) && pad.ValueKind == JsonValueKind.Number) options.PadTokenId = pad.GetInt32();
        return options;
    }

    private static TruncationStrategy Truncation(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => TruncationStrategy.LongestFirst,
        JsonValueKind.False => TruncationStrategy.DoNotTruncate,
        _ => value.GetString() switch
        {
            "longest_first" => TruncationStrategy.LongestFirst,
            "only_first" => TruncationStrategy.OnlyFirst,
            "only_second" => TruncationStrategy.OnlySecond,
            _ => TruncationStrategy.DoNotTruncate,
        },
    };

    private static PaddingStrategy Padding(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => PaddingStrategy.Longest,
        JsonValueKind.False => PaddingStrategy.DoNotPad,
        _ => value.GetString() switch { "longest" => PaddingStrategy.Longest, "max_length" => PaddingStrategy.MaxLength, _ => PaddingStrategy.DoNotPad },
    };
}
