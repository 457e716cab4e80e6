using System.Text.Json;
using MLComponents.Testing;
using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>Models that learnt something write what the reference's write.</summary>
public class SmallModelGenerationParityTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("qwen2")]
    [InlineData("phi3")]
    public void A_story_is_the_references_byte_for_byte(string layout)
    {
        string folder = TestPaths.SharedOrSkip("models", "stories260K");
        using CausalLanguageModel model = CausalLanguageModel.Load(Path.Combine(folder, layout));
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(Path.Combine(folder, layout));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected", "greedy-and-nll.json")));
        int[] expected = [.. json.RootElement.GetProperty("greedy").GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];

        GeneratedSequence story = model.Generate([1], new() { MaxNewTokens = 200, EosTokenIds = [] }, Cancellation);

        Assert.Equal(expected, story.Ids);
        Assert.Equal(
            File.ReadAllText(Path.Combine(folder, "reference", "expected_greedy_200.txt")).TrimEnd('\n'), tokenizer.Decode([.. story.NewIds], skipSpecialTokens: true).TrimEnd('\n'));
    }

    [Fact]
    public void A_pretrained_model_continues_texts_as_the_references_does()
    {
        string folder = SmolLm2.Folder("qwen2");
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, ScalarType.Float32);
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(folder);
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(SmolLm2.Expected, "greedy.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];

        int[][] prompts = [.. lines.Select(line => Ids(line, "ids"))];
        GeneratedSequence[] texts = [.. model.GenerateMany(prompts, new() { MaxNewTokens = 64, DoSample = false }, batchSize: 32, cancellationToken: Cancellation)];

        for (int index = 0; index < lines.Length; index++)
        {
            int[] expected = Ids(lines[index], "new_ids");
            Assert.Equal(expected, texts[index].NewIds.Take(expected.Length));
            Assert.Equal(lines[index].GetProperty("new_text").GetString(), tokenizer.Decode(expected, skipSpecialTokens: true));
        }
    }

    [Fact]
    public void Bfloat16_is_within_half_a_percent_of_the_references_loss()
    {
        using CausalLanguageModel model = CausalLanguageModel.Load(SmolLm2.Folder("qwen2"), ScalarType.BFloat16);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SmolLm2.Expected, "values.json")));
        JsonElement likelihood = json.RootElement.GetProperty("nll");
        double sum = 0;
        int count = 0, vocabulary = model.Config.VocabularySize;
        foreach (int[] window in Ids(likelihood, "ids").Chunk(likelihood.GetProperty("window").GetInt32()))
        {
            var logits = new float[window.Length * vocabulary];
            using IDecodingBatch batch = model.Decoding.NewBatch(1, canForget: false);
            batch.Read(window, [window.Length], window.Length, logits);
            for (int place = 0; place + 1 < window.Length; place++, count++)
            {
                ReadOnlySpan<float> scores = logits.AsSpan(place * vocabulary, vocabulary);
                sum += ScoreMath.LogSum(scores) - scores[window[place + 1]];
            }
        }

        double expected = likelihood.GetProperty("mean_nll").GetDouble();
        Assert.Equal(likelihood.GetProperty("predicted").GetInt32(), count);
        Assert.Equal(expected, sum / count, 0.005 * expected);
    }

    private static int[] Ids(JsonElement line, string name) => [.. line.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
