using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

/// <summary>Tokenizers loaded without their tokenizer.json, from vocab.json and merges.txt or a SentencePiece model, against the same golden lines.</summary>
public sealed class SourceParityTests
{
    private static readonly string[] Companions = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    public static IEnumerable<TheoryDataRow<string, string>> Sources() => GoldenSet.TrainedFolders()
        .SelectMany(found => new[] { "tokenizer.model", "vocab.json" }
            .Where(source => File.Exists(Path.Combine(found.Folder, source)))
            .Select(source => new TheoryDataRow<string, string>(found.Folder, source) { TestDisplayName = $"{Path.GetFileName(found.Folder)}: {source}, {found.Set}" }));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Sources))]
    public void The_made_file_has_the_vocabulary_merges_and_added_tokens_of_the_real_one(string folder, string source)
    {
        JsonObject made = Parse(Load(folder, source).Files["tokenizer.json"]), real = Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        Assert.Equal(Tokens(real), Tokens(made));
        Assert.Equal(Vocabulary(real), Vocabulary(made));
        Assert.Equal(Merges(real), Merges(made));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Sources))]
    public void Encodings_equal_the_reference_where_the_class_says_all_there_is_to_know(string folder, string source)
    {
        string name = Path.GetFileName(folder);
        string golden = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(folder))!, "golden-offsets", name + ".jsonl");
        Assert.SkipUnless(File.Exists(golden), $"there is no {golden}");
        PretrainedTokenizer tokenizer = Load(folder, source);

        // A tokenizer.json may hold more than the other files: a normalizer, a pre-tokenizer of its own. Then they give other ids.
        JsonObject made = Parse(tokenizer.Files["tokenizer.json"]), real = Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
        string[] other = [.. new[] { "normalizer", "pre_tokenizer" }.Where(part => !JsonNode.DeepEquals(WithoutDefaults(made[part]), WithoutDefaults(real[part])))];
        Assert.SkipWhen(other.Length > 0, $"the {string.Join(" and ", other)} of its tokenizer.json cannot be known from {source}");
        bool sameOffsets = JsonNode.DeepEquals(made["post_processor"], real["post_processor"]);
        var expected = new Expected(name);
        foreach (JsonElement line in GoldenSet.Lines(golden))
        {
            string text = line.GetProperty("text").GetString()!;
            Encoding encoding = tokenizer.Encode(text, line.GetProperty("add_special_tokens").GetBoolean());
            if (sameOffsets) expected.Compare(line, encoding, text);
            else expected.Compare(line, "ids", encoding.Ids, text);
            expected.Compare(line, "decoded", tokenizer.Decode([.. encoding.Ids], skipSpecialTokens: false), text);
        }

        expected.AssertEqual();
    }

    private static PretrainedTokenizer Load(string folder, string source) => PretrainedTokenizer.Load(
        new[] { source, source == "vocab.json" ? "merges.txt" : source }.Concat(Companions).Distinct()
            .Where(name => File.Exists(Path.Combine(folder, name)))
            .ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(folder, name))));

    private static JsonObject Parse(byte[] json) => JsonNode.Parse(json)!.AsObject();

    // trim_offsets of the pre-tokenizer does nothing.
    private static JsonNode? WithoutDefaults(JsonNode? component)
    {
        JsonNode? copy = component?.DeepClone();
        (copy as JsonObject)?.Remove("trim_offsets");
        return copy;
    }

    private static IEnumerable<string> Tokens(JsonObject file) => file["added_tokens"]!.AsArray().Select(token =>
        string.Join(' ', new[] { "id", "content", "special", "lstrip", "rstrip", "single_word", "normalized" }.Select(name => token![name]!.ToJsonString())));

    private static IEnumerable<string> Vocabulary(JsonObject file) => file["model"]!["vocab"] is JsonObject vocabulary
        ? vocabulary.OrderBy(entry => entry.Value!.GetValue<int>()).Select(entry => $"{entry.Key} {entry.Value}")
        : file["model"]!["vocab"]!.AsArray().Select(entry => $"{entry![0]} {(float)entry[1]!.GetValue<double>()}");

    private static IEnumerable<string> Merges(JsonObject file) => (file["model"]!["merges"]?.AsArray() ?? []).Select(merge =>
        merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : merge!.GetValue<string>());
}
