using System.Text.Json;

namespace MLComponents.Tokenization.Tests;

/// <summary>Decoding id by id against the reference's rule.</summary>
public sealed class StreamingParityTests
{
    public static IEnumerable<TheoryDataRow<string, string, string>> Streams() => GoldenSet.Groups("pieces", namesTokenizers: true);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Streams))]
    public void Pieces_of_a_stream_equal_the_reference(string root, string file, string name)
    {
        PretrainedTokenizer tokenizer = GoldenSet.Load(root, name);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(file, name))
        {
            bool skips = line.GetProperty("skip_special_tokens").GetBoolean();
            int[] ids = [.. line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            DecodeStream stream = tokenizer.CreateDecodeStream(skips);
            string context = line.GetProperty("text").GetRawText();
            expected.Compare(line, "pieces", ids.Select(stream.Add).ToArray(), context);
            expected.Compare(line, "flush", stream.Flush(), context);
            expected.Compare(line, "text", tokenizer.Decode(ids, skips), context);
        }

        expected.AssertEqual();
    }
}
