using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

public class ParallelGenerationTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Ropes =>
    [
        "",
        """, "rope_scaling": {"rope_type": "dynamic", "factor": 3.0}, "max_position_embeddings": 10""",
    ];

    [Theory]
    [MemberData(nameof(Ropes))]
    public void One_model_serves_many_callers_at_the_same_time(string rope)
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(rope), seed: 1);
        GenerationConfig[] configs =
        [
            new() { MaxNewTokens = 25 }, new() { DoSample = true, MaxNewTokens = 25 }, new() { NumBeams = 3, MaxNewTokens = 12 }, new() { PromptLookupNumTokens = 3, MaxNewTokens = 25 },
            new() { PenaltyAlpha = 0.6, TopK = 4, MaxNewTokens = 12 }, new() { GuidanceScale = 1.5, MaxNewTokens = 12 },
        ];
        string[] expected = [.. Enumerable.Range(0, 24).Select(Run)];
        var actual = new string[expected.Length];
        Parallel.For(0, expected.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index => actual[index] = Run(index));
        Assert.Equal(expected, actual);

        string Run(int index)
        {
            int[] prompt = [.. Enumerable.Range(0, 3 + (index % 9)).Select(place => 3 + (((index * 7) + (place * 11)) % 50))];
            using GenerationOutput output = model.Generate(new GenerationInput { InputIds = [prompt] }, configs[index % configs.Length] with { Seed = index, EosTokenIds = [] }, Cancellation);
            return string.Join(" ", output.Sequences[0].NewIds);
        }
    }

    [Fact]
    public void One_prefix_serves_many_callers_at_the_same_time()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        int[] prefix = [.. Enumerable.Range(3, 20)];
        using var cache = PromptCache.Create(model, prefix);
        string[] expected = [.. Enumerable.Range(0, 48).Select(index => Run(index, null))];
        for (int round = 0; round < 3; round++)
        {
            var actual = new string[expected.Length];
            Parallel.For(0, expected.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index => actual[index] = Run(index, cache));
            Assert.Equal(expected, actual);
        }

        string Run(int index, PromptCache? from)
        {
            using GenerationOutput output = model.Generate(
                new GenerationInput { InputIds = [[.. prefix, 3 + index]], Cache = from }, new() { DoSample = true, Seed = index, MaxNewTokens = 15, EosTokenIds = [] }, Cancellation);
            return string.Join(" ", output.Sequences[0].NewIds);
        }
    }

    [Fact]
    public void Thirty_two_chats_that_are_cancelled_at_random_leave_nothing_behind()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using var model = new CausalLanguageModel(ModelSamples.Config() with { VocabularySize = tokenizer.VocabularySize, LayerCount = 1, MaxPositions = 512 }, seed: 1);
        LeakTests.AssertSteady(() => Task.WhenAll(Enumerable.Range(0, 32).Select(Chat)).GetAwaiter().GetResult());

        async Task Chat(int index)
        {
            using var source = new CancellationTokenSource();
            var random = new Random(index);
            int cancelAfter = random.Next(3, 40);
            List<int> text = [5, 9, 7];
            PromptCache? cache = null;
            try
            {
                for (int turn = 0; turn < 3; turn++)
                {
                    var input = new GenerationInput { InputIds = [text.ToArray()], Tokenizer = tokenizer, Cache = cache, ReturnCache = true };
                    PromptCache? next = null;
                    try
                    {
                        await foreach (GeneratedToken token in model.StreamAsync(input, new() { DoSample = true, Seed = index, MaxNewTokens = 12, EosTokenIds = [] }, source.Token))
                        {
                            text.Add(token.Id);
                            next = token.Cache ?? next;
                            if (--cancelAfter == 0) await source.CancelAsync();
                        }
                    }
                    finally
                    {
                        cache?.Dispose();
                        cache = next;
                    }

                    text.AddRange([3, 4]);
                }
            }
            catch (OperationCanceledException)
            {
                // Meant to be.
            }
            finally
            {
                cache?.Dispose();
            }
        }
    }
}
