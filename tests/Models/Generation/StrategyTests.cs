using MLComponents.Testing;
using MLComponents.Tokenization;

namespace MLComponents.Models.Tests;

public class StrategyTests
{
    private static readonly int[][] s_prompts = [[5, 9, 33, 41, 8], [4, 50], [12, 7, 30]];

    private static readonly GenerationConfig s_config = new() { EosTokenIds = [], MaxNewTokens = 10 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(30)]
    public void A_draft_model_changes_nothing_but_the_number_of_passes(int tokens)
    {
        using var model = Model();
        using var assistant = new CausalLanguageModel(ModelSamples.Config() with { LayerCount = 1 }, seed: 2);
        foreach (CausalLanguageModel draft in new[] { assistant, model })
        {
            foreach (AssistantSchedule schedule in Enum.GetValues<AssistantSchedule>())
            {
                GenerationConfig config = s_config with { MaxNewTokens = 25, NumAssistantTokens = tokens, NumAssistantTokensSchedule = schedule, AssistantConfidenceThreshold = 0.05, RepetitionPenalty = 1.2 };
                foreach (int[] prompt in s_prompts)
                {
                    using GenerationOutput assisted = model.Generate(new GenerationInput { InputIds = [prompt], AssistantModel = draft }, config, Cancellation);
                    Assert.Equal(model.Generate(prompt, config, Cancellation).NewIds, assisted.Sequences[0].NewIds);
                }
            }
        }
    }

    [Theory]
    [InlineData("qwen2-like", "phi3-like", false)]
    [InlineData("phi3-like", "neox-like", true)]
    [InlineData("qwen2-like", "qwen2-like", false)]
    public void A_draft_model_with_another_tokenizer_changes_nothing_but_the_number_of_passes(string name, string otherName, bool draws)
    {
        (PretrainedTokenizer tokenizer, PretrainedTokenizer other) = (Tokenizer(name), Tokenizer(otherName));
        using CausalLanguageModel model = Model(tokenizer), assistant = Model(other);
        GenerationConfig config = s_config with { MaxNewTokens = 25, NumAssistantTokens = 6, NumAssistantTokensSchedule = AssistantSchedule.Heuristic, AssistantConfidenceThreshold = 0, DoSample = draws, Seed = 4 };
        foreach (string text in new[] { "The quick brown fox", "naïve 你好 🙂", "x" })
        {
            int[] prompt = tokenizer.EncodeIds(text, addSpecialTokens: false);
            using GenerationOutput assisted = model.Generate(
                new GenerationInput { InputIds = [prompt], Tokenizer = tokenizer, AssistantModel = assistant, AssistantTokenizer = other }, config, Cancellation);
            Assert.Equal(model.Generate(prompt, config, Cancellation).NewIds, assisted.Sequences[0].NewIds);
        }
    }

    [Theory]
    [InlineData("qwen2-like", "phi3-like")]
    [InlineData("phi3-like", "neox-like")]
    [InlineData("smollm-like", "smollm-like")]
    public void What_a_draft_model_with_another_tokenizer_writes_is_proposed_in_the_models_tokens(string name, string otherName)
    {
        const string Text = "The quick brown fox";
        (PretrainedTokenizer tokenizer, PretrainedTokenizer other) = (Tokenizer(name), Tokenizer(otherName));
        using CausalLanguageModel model = Model(tokenizer), assistant = Model(other);
        assistant.GenerationConfig = new() { EosTokenIds = [] };
        var input = new GenerationInput { InputIds = [tokenizer.EncodeIds(Text, addSpecialTokens: false)], AttentionMask = null, Tokenizer = tokenizer, AssistantModel = assistant, AssistantTokenizer = other };
        var call = new GenerationCall(model, input, s_config with { NumAssistantTokens = 12, AssistantConfidenceThreshold = 0 }, Cancellation);
        using var draft = new TranslatedDraft(call, assistant, tokenizer, other);
        int[] ids = [.. input.InputIds[0]];

        string before = tokenizer.Decode(ids, skipSpecialTokens: false);
        int[] read = other.EncodeIds(before);
        int[] written = [.. assistant.Generate(read, s_config with { MaxNewTokens = 12 }, Cancellation).NewIds];
        string expected = other.Decode([.. read, .. written], skipSpecialTokens: true)[other.Decode(read, skipSpecialTokens: true).Length..].TrimEnd('\uFFFD');
        int[] proposed = draft.Propose(ids, 100).Ids;
        Assert.NotEmpty(expected);
        Assert.Equal(before + expected, tokenizer.Decode([.. ids, .. proposed], skipSpecialTokens: false));
        Assert.Equal(proposed[..2], draft.Propose(ids, 2).Ids);
        Assert.Empty(draft.Propose(ids, 0).Ids);

        assistant.GenerationConfig = new() { EosTokenIds = [written[0]] };
        using var silent = new TranslatedDraft(call, assistant, tokenizer, other);
        Assert.Empty(silent.Propose(ids, 100).Ids);
    }

    [Fact]
    public void In_the_midst_of_a_character_nothing_is_proposed()
    {
        (PretrainedTokenizer tokenizer, PretrainedTokenizer other) = (Tokenizer("qwen2-like"), Tokenizer("phi3-like"));
        using CausalLanguageModel model = Model(tokenizer), assistant = Model(other);
        int[] whole = tokenizer.EncodeIds("a 🙂", addSpecialTokens: false);
        var input = new GenerationInput { InputIds = [whole[..^1]], Tokenizer = tokenizer, AssistantModel = assistant, AssistantTokenizer = other };
        using var draft = new TranslatedDraft(new GenerationCall(model, input, s_config, Cancellation), assistant, tokenizer, other);
        Assert.EndsWith("\uFFFD", tokenizer.Decode(whole.AsSpan(..^1), skipSpecialTokens: false), StringComparison.Ordinal);
        Assert.Empty(draft.Propose(whole.AsSpan(..^1), 100).Ids);
        Assert.NotEmpty(draft.Propose(whole, 100).Ids);
    }

    [Fact]
    public void A_draft_model_with_another_tokenizer_needs_both_tokenizers()
    {
        PretrainedTokenizer tokenizer = Tokenizer("qwen2-like"), other = Tokenizer("phi3-like");
        using CausalLanguageModel model = Model(tokenizer), assistant = Model(other);
        var input = new GenerationInput { InputIds = [[5]], Tokenizer = tokenizer, AssistantModel = assistant, AssistantTokenizer = other };
        string Refused(GenerationInput input) => Assert.ThrowsAny<ArgumentException>(() => model.Generate(input, s_config, Cancellation)).Message;
        Assert.Contains("AssistantTokenizer", Refused(input with { AssistantTokenizer = null }));
        Assert.Contains("set all three", Refused(input with { Tokenizer = null }));
        Assert.Contains("set all three", Refused(input with { AssistantModel = null }));
        using var small = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        Assert.Contains("AssistantTokenizer has", Refused(input with { AssistantModel = small }));
        Assert.Contains("Tokenizer has", Assert.ThrowsAny<ArgumentException>(() => small.Generate(input, s_config, Cancellation)).Message);
    }

    [Fact]
    public void Assisted_texts_end_and_go_on_from_a_cache_like_others()
    {
        using var model = Model();
        GenerationConfig config = s_config with { MaxNewTokens = 25 };
        IReadOnlyList<int> free = model.Generate(s_prompts[0], config, Cancellation).NewIds;
        GenerationConfig ending = config with { EosTokenIds = [free[7]] };
        using GenerationOutput expected = model.Generate(new GenerationInput { InputIds = [s_prompts[0]], ReturnCache = true }, ending, Cancellation);
        using GenerationOutput assisted = model.Generate(new GenerationInput { InputIds = [s_prompts[0]], AssistantModel = model, ReturnCache = true }, ending, Cancellation);
        Assert.Equal(expected.Sequences[0].NewIds, assisted.Sequences[0].NewIds);
        Assert.Equal(FinishReason.EndOfText, assisted.Sequences[0].FinishReason);
        Assert.Equal(expected.Cache!.IdsOf(0), assisted.Cache!.IdsOf(0));
        using GenerationOutput stopped = model.Generate(
            new GenerationInput { InputIds = [s_prompts[0]], AssistantModel = model, StoppingCriteria = [(_, ids) => ids.Length == 8] }, config, Cancellation);
        Assert.Equal(free.Take(3), stopped.Sequences[0].NewIds);
    }

    [Fact]
    public void Sampling_with_a_draft_model_has_the_models_own_distribution()
    {
        using var model = Model();
        using var draft = new CausalLanguageModel(ModelSamples.Config() with { LayerCount = 1 }, seed: 2);
        GenerationConfig config = s_config with { DoSample = true, TopK = 6, Temperature = 1.5, MaxNewTokens = 2, AssistantConfidenceThreshold = 0, NumAssistantTokens = 3 };
        using GenerationOutput scored = model.Generate(new GenerationInput { InputIds = [s_prompts[0]] }, config with { OutputScores = true }, Cancellation);
        var probabilities = new float[60];
        ScoreMath.Softmax(scored.Scores[0], probabilities);

        var counts = new int[60];
        for (int seed = 0; seed < 2500; seed++)
        {
            using GenerationOutput output = model.Generate(new GenerationInput { InputIds = [s_prompts[0]], AssistantModel = draft }, config with { Seed = seed }, Cancellation);
            counts[output.Sequences[0].NewIds[0]]++;
        }

        ChiSquare.AssertFits(probabilities, counts);
    }

    [Fact]
    public void A_looked_up_prompt_draws_the_same_tokens()
    {
        using var model = Model();
        GenerationConfig config = s_config with { DoSample = true, TopK = 2, Seed = 9, MaxNewTokens = 40 };
        int[] prompt = [5, 9, 33, 5, 9, 33, 5, 9];
        Assert.Equal(model.Generate(prompt, config, Cancellation).NewIds, model.Generate(prompt, config with { PromptLookupNumTokens = 5 }, Cancellation).NewIds);
    }

    [Fact]
    public void Contrastive_search_follows_its_equation()
    {
        using var model = Model();
        foreach (int[] prompt in s_prompts)
            Assert.Equal(model.Generate(prompt, s_config, Cancellation).NewIds, model.Generate(prompt, s_config with { PenaltyAlpha = 1e-6, TopK = 5 }, Cancellation).NewIds);

        GenerationConfig config = s_config with { PenaltyAlpha = 0.6, TopK = 4 };
        using GenerationOutput together = model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation);
        for (int row = 0; row < 3; row++)
        {
            List<int> text = [.. s_prompts[row]];
            for (int step = 0; step < 10; step++)
            {
                float[] probabilities = Probabilities(model, text);
                text.Add(Enumerable.Range(0, 60).OrderByDescending(id => probabilities[id]).Take(4)
                    .MaxBy(id => (0.4 * probabilities[id]) - (0.6 * Similarity(model, [.. text, id]))));
            }

            Assert.Equal(text.Skip(s_prompts[row].Length), together.Sequences[row].NewIds);
        }
    }

    [Fact]
    public void Diverse_beams_of_one_group_each_take_different_first_tokens()
    {
        using var model = Model();
        using GenerationOutput output = model.Generate(
            new GenerationInput { InputIds = s_prompts }, s_config with { NumBeams = 4, NumBeamGroups = 4, DiversityPenalty = 100.0, NumReturnSequences = 4 }, Cancellation);
        foreach (var texts in output.Sequences.GroupBy(row => row.PromptIndex))
        {
            Assert.Equal(4, texts.Select(row => row.NewIds[0]).Distinct().Count());
            Assert.Equal(texts.Select(row => row.Score).OrderDescending(), texts.Select(row => row.Score));
        }

        // Without a penalty all groups do what one beam does: follow the likeliest token.
        using GenerationOutput alike = model.Generate(new GenerationInput { InputIds = s_prompts }, s_config with { NumBeams = 4, NumBeamGroups = 4, NumReturnSequences = 4 }, Cancellation);
        Assert.All(alike.Sequences, row => Assert.Equal(model.Generate(s_prompts[row.PromptIndex], s_config, Cancellation).NewIds, row.NewIds));
    }

    [Fact]
    public void Constrained_beams_hold_every_phrase_in_one_of_its_forms()
    {
        using var model = Model();
        GenerationConfig config = s_config with { NumBeams = 5, NumReturnSequences = 2, EosTokenIds = [2], MaxNewTokens = 16, ForceWordsIds = [[[22, 23, 24]], [[40], [41, 42]], [[51, 52]]] };
        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation);
        Assert.All(output.Sequences, row =>
        {
            int[] ids = [.. row.Ids];
            Assert.True(ids.AsSpan().IndexOf([22, 23, 24]) >= 0 && ids.AsSpan().IndexOf([51, 52]) >= 0, string.Join(" ", ids));
            Assert.True(ids.Contains(40) || ids.AsSpan().IndexOf([41, 42]) >= 0, string.Join(" ", ids));
        });
        Assert.Throws<ArgumentException>(() => model.Generate(new GenerationInput { InputIds = s_prompts }, config with { ForceWordsIds = [[[3], [3, 4]]] }, Cancellation));
        Assert.Throws<ArgumentException>(() => model.Generate(new GenerationInput { InputIds = s_prompts }, config with { ForceWordsIds = [[[60]]] }, Cancellation));
    }

    [Fact]
    public void Sampled_beams_differ_by_seed_and_are_the_same_for_the_same()
    {
        using var model = Model();
        GenerationConfig config = s_config with { NumBeams = 3, DoSample = true, Seed = 1, TopK = 0, Temperature = 2 };
        IReadOnlyList<int> first = model.Generate(s_prompts[0], config, Cancellation).NewIds;
        Assert.Equal(first, model.Generate(s_prompts[0], config, Cancellation).NewIds);
        Assert.Contains(Enumerable.Range(2, 5), seed => !first.SequenceEqual(model.Generate(s_prompts[0], config with { Seed = seed }, Cancellation).NewIds));
    }

    [Fact]
    public void Drawing_without_replacement_follows_the_probabilities()
    {
        float[] scores = [0f, 1f, -1f, 2f, float.NegativeInfinity], probabilities = new float[5];
        ScoreMath.Softmax(scores, probabilities);
        var first = new int[5];
        var pairs = new int[25];
        var order = new int[2];
        for (int draw = 0; draw < 20_000; draw++)
        {
            float[] keys = [.. scores];
            var random = RowRandom.Of(7, draw);
            TokenSampler.MakeKeys(keys, index => random.Next(0, index));
            ScoreMath.LargestIndices(keys, order);
            first[order[0]]++;
            pairs[(order[0] * 5) + order[1]]++;
        }

        ChiSquare.AssertFits(probabilities, first);
        ChiSquare.AssertFits(
            [.. from one in Enumerable.Range(0, 5) from two in Enumerable.Range(0, 5) select one == two ? 0 : probabilities[one] * probabilities[two] / (1 - probabilities[one])], pairs);
    }

    private static float[] Probabilities(CausalLanguageModel model, List<int> text)
    {
        var scores = new float[60];
        using IDecodingBatch batch = new TorchDecodingModel(model).NewBatch(1, false);
        batch.Read([.. text], [text.Count], 1, scores);
        ScoreMath.Softmax(scores, scores);
        return scores;
    }

    private static double Similarity(CausalLanguageModel model, int[] text)
    {
        float[] logits = new float[text.Length * 60], hidden = new float[text.Length * 24];
        using IDecodingBatch batch = new TorchDecodingModel(model).NewBatch(1, false);
        batch.Read(text, [text.Length], text.Length, logits, hidden);
        float[][] states = [.. hidden.Chunk(24)];
        return states.SkipLast(1).Max(state => state.Zip(states[^1], (left, right) => (double)left * right).Sum() / (Norm(state) * Norm(states[^1])));
    }

    private static double Norm(float[] state) => Math.Sqrt(state.Sum(value => (double)value * value));

    private static PretrainedTokenizer Tokenizer(string name) => PretrainedTokenizer.Load(Path.Combine(TestPaths.Repository, "tests", "Fixtures", "tokenizers", "trained", name));

    private static CausalLanguageModel Model(PretrainedTokenizer tokenizer) =>
        new(ModelSamples.Config() with { VocabularySize = tokenizer.VocabularySize, LayerCount = 1, MaxPositions = 512 }, seed: 1);

    private static CausalLanguageModel Model() => new(ModelSamples.Config(), seed: 1);
}
