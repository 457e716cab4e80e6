using System.Text.Json;

namespace MLComponents.Tokenization.Tests;

/// <summary>Ids, tokens, offsets, masks, word ids and decoded texts against those of the reference, for every tokenizer that is found.</summary>
public sealed class GoldenOffsetsParityTests
{
    public static IEnumerable<TheoryDataRow<string, string, string>> Texts() => GoldenSet.Groups("text", namesTokenizers: false);

    public static IEnumerable<TheoryDataRow<string, string, string>> SplitSpecial() => GoldenSet.Groups("split_special_tokens", namesTokenizers: true);

    public static IEnumerable<TheoryDataRow<string, string, string>> Words() => GoldenSet.Groups("words", namesTokenizers: true);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Texts))]
    [MemberData(nameof(SplitSpecial))]
    public void Encodings_and_decoded_texts_equal_the_reference(string root, string file, string name)
    {
        PretrainedTokenizer tokenizer = GoldenSet.Load(root, name);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(file, name))
        {
            string text = line.GetProperty("text").GetString()!;
            string context = JsonSerializer.Serialize(text);
            bool splits = line.TryGetProperty("split_special_tokens", out JsonElement split) && split.GetBoolean();
            bool adds = line.GetProperty("add_special_tokens").GetBoolean();
            expected.Compare(line, tokenizer.Encode(text, new EncodingOptions { AddSpecialTokens = adds, SplitSpecialTokens = splits }), context);
            if (!splits) expected.Compare(line, "ids", tokenizer.EncodeIds(text, adds), context + " by EncodeIds");
            int[] ids = [.. line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            expected.Compare(line, "decoded", tokenizer.Decode(ids, skipSpecialTokens: false), context);
            expected.Compare(line, "decoded_skip", tokenizer.Decode(ids, skipSpecialTokens: true), context);
        }

        expected.AssertEqual();
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Words))]
    public void Encodings_of_words_equal_the_reference(string root, string file, string name)
    {
        PretrainedTokenizer tokenizer = GoldenSet.Load(root, name);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(file, name))
        {
            EncodeInput words = EncodeInput.FromWords(line.GetProperty("words").EnumerateArray().Select(word => word.GetString()!));
            bool adds = line.GetProperty("add_special_tokens").GetBoolean();
            expected.Compare(line, tokenizer.Encode(words, new EncodingOptions { AddSpecialTokens = adds }), line.GetProperty("words").GetRawText());
        }

        expected.AssertEqual();
    }
}
