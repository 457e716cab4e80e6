using MLComponents.Tokenization;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class GenerationTests
{
    private static readonly int[][] s_prompts = [[5, 9, 33, 41, 8], [4, 50], [12, 7, 30]];

    private static readonly GenerationConfig s_noEnd = new() { EosTokenIds = [], MaxNewTokens = 10 };

    private static readonly GenerationConfig s_sampling = s_noEnd with { DoSample = true, Seed = 3 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Models => [.. CacheModels.Names];

    [Theory]
    [MemberData(nameof(Models))]
    public void Left_padded_rows_generate_like_unpadded_ones(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        foreach (GenerationConfig config in new[] { s_noEnd, s_sampling, s_noEnd with { NumBeams = 3 } })
        {
            using GenerationOutput together = model.Generate(new GenerationInput { InputIds = s_prompts, Seeds = config.DoSample == true ? [7, 8, 9] : null }, config, Cancellation);
            for (int row = 0; row < s_prompts.Length; row++)
            {
                using GenerationOutput alone = model.Generate(
                    new GenerationInput { InputIds = [s_prompts[row]], Seeds = config.DoSample == true ? [7 + row] : null }, config, Cancellation);
                Assert.Equal(alone.Sequences[0].NewIds, together.Sequences[row].NewIds);
                Assert.Equal(s_prompts[row], together.Sequences[row].PromptIds);
            }
        }
    }

    [Fact]
    public void Rows_end_by_themselves_and_the_others_go_on_as_if_alone()
    {
        using var model = Model();
        using GenerationOutput free = model.Generate(new GenerationInput { InputIds = s_prompts }, s_noEnd, Cancellation);
        int end = free.Sequences[1].NewIds[3];

        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = s_prompts }, s_noEnd with { EosTokenIds = [end, 59] }, Cancellation);

        Assert.Equal(FinishReason.EndOfText, output.Sequences[1].FinishReason);
        for (int row = 0; row < 3; row++)
        {
            IReadOnlyList<int> all = free.Sequences[row].NewIds;
            int cut = all.Select((id, index) => (id, index)).Where(pair => pair.id == end || pair.id == 59).Select(pair => pair.index + 1).FirstOrDefault(all.Count);
            Assert.Equal(all.Take(cut), output.Sequences[row].NewIds);
            Assert.Equal(cut < all.Count, output.Sequences[row].FinishReason == FinishReason.EndOfText);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_whatever_the_batch()
    {
        using var model = Model();
        using GenerationOutput first = model.Generate(new GenerationInput { InputIds = s_prompts }, s_sampling, Cancellation);
        using GenerationOutput again = model.Generate(new GenerationInput { InputIds = s_prompts }, s_sampling, Cancellation);
        using GenerationOutput other = model.Generate(new GenerationInput { InputIds = s_prompts }, s_sampling with { Seed = 4 }, Cancellation);
        using GenerationOutput several = model.Generate(
            new GenerationInput { InputIds = [s_prompts[2], s_prompts[0]], Seeds = [1, 2, 3, 1] }, s_sampling with { NumReturnSequences = 2 }, Cancellation);
        using GenerationOutput one = model.Generate(new GenerationInput { InputIds = [s_prompts[0]], Seeds = [3] }, s_sampling, Cancellation);

        Assert.Equal(first.Sequences.Select(row => row.NewIds), again.Sequences.Select(row => row.NewIds));
        Assert.NotEqual(first.Sequences[0].NewIds, other.Sequences[0].NewIds);
        Assert.Equal([0, 0, 1, 1], several.Sequences.Select(row => row.PromptIndex));
        Assert.NotEqual(several.Sequences[0].NewIds, several.Sequences[1].NewIds);
        Assert.Equal(one.Sequences[0].NewIds, several.Sequences[2].NewIds);
    }

    [Fact]
    public void Without_a_seed_every_call_draws_anew()
    {
        using var model = Model();
        GenerationConfig config = s_sampling with { Seed = null };
        Assert.NotEqual(model.Generate(s_prompts[0], config, Cancellation).NewIds, model.Generate(s_prompts[0], config, Cancellation).NewIds);
    }

    [Fact]
    public void Log_probabilities_scores_and_logits_fit_together()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = Model();
        GenerationConfig config = s_sampling with { Temperature = 0.7, TopK = 9, OutputScores = true, OutputLogits = true };

        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation);

        IReadOnlyList<IReadOnlyList<float>> transitions = output.TransitionScores(normalize: true), raw = output.TransitionScores();
        for (int row = 0; row < 3; row++)
        {
            GeneratedSequence sequence = output.Sequences[row];
            using CausalLanguageModelOutput forward = model.Forward(new DecoderInput { InputIds = tensor(sequence.Ids.ToArray()).unsqueeze(0) });
            Tensor expected = nn.functional.log_softmax(forward.Logits[0].to(ScalarType.Float32), 1);
            for (int step = 0; step < sequence.NewIds.Count; step++)
            {
                int id = sequence.NewIds[step];
                Assert.Equal(expected[sequence.PromptIds.Count + step - 1, id].item<float>(), sequence.LogProbabilities[step], 1e-4f);
                ReadOnlySpan<float> scores = output.Scores[step].AsSpan(row * 60, 60);
                Assert.Equal(9, scores.ToArray().Count(float.IsFinite));
                Assert.Equal(output.Logits[step][(row * 60) + id] / 0.7f, scores[id], 1e-5f);
                Assert.Equal(scores[id], raw[row][step]);
                Assert.Equal(scores[id] - ScoreMath.LogSum(scores), transitions[row][step], 1e-5);
            }
        }

        Assert.Throws<InvalidOperationException>(() => model.Generate(new GenerationInput { InputIds = s_prompts }, s_noEnd, Cancellation).TransitionScores());
    }

    [Fact]
    public void A_beams_score_is_the_sum_of_its_transition_scores_over_its_length()
    {
        using var model = Model();
        GenerationConfig config = s_noEnd with { NumBeams = 4, NumReturnSequences = 4, OutputScores = true, RepetitionPenalty = 1.2, LengthPenalty = 0.7, EosTokenIds = [2, 9, 17] };
        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation);

        IReadOnlyList<IReadOnlyList<float>> transitions = output.TransitionScores();
        Assert.Equal(12, output.Sequences.Count);
        for (int row = 0; row < 12; row++)
            Assert.Equal(transitions[row].Sum() / Math.Pow(transitions[row].Count, 0.7), output.Sequences[row].Score!.Value, 1e-4);
    }

    [Fact]
    public void Cancellation_and_time_end_generation()
    {
        using var model = Model();
        using var source = new CancellationTokenSource();
        var input = new GenerationInput { InputIds = s_prompts, StoppingCriteria = [(_, ids) => { if (ids.Length == 8) source.Cancel(); return false; }] };
        Assert.Throws<OperationCanceledException>(() => model.Generate(input, s_noEnd, source.Token));

        using GenerationOutput output = model.Generate(new GenerationInput { InputIds = s_prompts }, s_noEnd with { MaxTime = TimeSpan.Zero }, Cancellation);
        Assert.All(output.Sequences, row => Assert.Equal((FinishReason.Time, 1), (row.FinishReason, row.NewIds.Count)));
        using GenerationOutput beams = model.Generate(new GenerationInput { InputIds = s_prompts }, s_noEnd with { MaxTime = TimeSpan.Zero, NumBeams = 2 }, Cancellation);
        Assert.All(beams.Sequences, row => Assert.Equal((FinishReason.Time, 1), (row.FinishReason, row.NewIds.Count)));
    }

    [Fact]
    public void Criteria_and_processors_of_the_callers_own_are_asked()
    {
        using var model = Model();
        var input = new GenerationInput
        {
            InputIds = s_prompts,
            StoppingCriteria = [(prompt, ids) => prompt == 1 && ids.Length == 5 + 3],
            LogitsProcessors = [new Only(7)],
        };

        using GenerationOutput output = model.Generate(input, s_noEnd, Cancellation);

        Assert.All(output.Sequences, row => Assert.All(row.NewIds, id => Assert.Equal(7, id)));
        Assert.Equal([10, 3, 10], output.Sequences.Select(row => row.NewIds.Count));
        Assert.Equal([FinishReason.Length, FinishReason.Criterion, FinishReason.Length], output.Sequences.Select(row => row.FinishReason));
    }

    [Fact]
    public void Only_allowed_tokens_come_next()
    {
        using var model = Model();
        var input = new GenerationInput { InputIds = s_prompts, AllowedTokens = (prompt, ids) => [10 + prompt, 20 + ids.Length] };

        foreach (GenerationConfig config in new[] { s_noEnd, s_sampling, s_noEnd with { NumBeams = 2 } })
        {
            using GenerationOutput output = model.Generate(input, config, Cancellation);
            Assert.All(output.Sequences, row => Assert.All(row.NewIds.Select((id, step) => (id, step)), pair => Assert.Contains(pair.id, new[] { 10 + row.PromptIndex, 25 + pair.step })));
        }

        Assert.Contains("prompt 0", Assert.Throws<InvalidOperationException>(() => model.Generate(input with { AllowedTokens = (_, _) => [] }, s_noEnd, Cancellation)).Message);
    }

    [Fact]
    public void A_call_without_prompt_begins_a_text()
    {
        using var model = Model();
        using GenerationOutput output = model.Generate(new GenerationInput(), s_noEnd, Cancellation);
        Assert.Equal([1], output.Sequences[0].PromptIds);
        Assert.Equal(model.Generate([1], s_noEnd, Cancellation).NewIds, output.Sequences[0].NewIds);
    }

    [Fact]
    public void By_default_there_are_twenty_new_tokens_within_what_the_model_was_made_for()
    {
        using var model = Model();
        Assert.Equal(20, model.Generate([3, 4], new() { EosTokenIds = [] }, Cancellation).NewIds.Count);
        int[] almost = [.. Enumerable.Repeat(3, 60)];
        Assert.Equal(4, model.Generate(almost, new() { EosTokenIds = [] }, Cancellation).NewIds.Count);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Without_a_cache_the_text_is_the_same(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        foreach (GenerationConfig config in new[] { s_noEnd with { MaxNewTokens = 30 }, s_noEnd with { NumBeams = 2 }, s_noEnd with { GuidanceScale = 1.5 } })
        {
            using GenerationOutput cached = model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation);
            using GenerationOutput computed = model.Generate(new GenerationInput { InputIds = s_prompts }, config with { UseCache = false }, Cancellation);
            Assert.Equal(computed.Sequences.Select(row => row.NewIds), cached.Sequences.Select(row => row.NewIds));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Prompts_that_are_read_in_chunks_give_the_same(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        int[][] prompts = [.. s_prompts.Select(prompt => (int[])[.. prompt, .. Enumerable.Range(20, 9)])];
        using GenerationOutput whole = model.Generate(new GenerationInput { InputIds = prompts }, s_noEnd, Cancellation);
        foreach (int size in new[] { 1, 3, 10, 100 })
        {
            using GenerationOutput chunks = model.Generate(new GenerationInput { InputIds = prompts }, s_noEnd with { PrefillChunkSize = size }, Cancellation);
            Assert.Equal(whole.Sequences.Select(row => row.NewIds), chunks.Sequences.Select(row => row.NewIds));
        }
    }

    [Fact]
    public void Beyond_the_border_of_longrope_the_whole_text_has_long_factors()
    {
        using var model = new CausalLanguageModel(
            ModelSamples.Config(""", "rope_scaling": {"rope_type": "longrope", "short_factor": [1, 1.2], "long_factor": [4, 7], "factor": 4}, "original_max_position_embeddings": 12"""), seed: 1);
        GenerationConfig config = s_noEnd with { MaxNewTokens = 20 };
        foreach (int[] prompt in new[] { s_prompts[0], [.. Enumerable.Range(3, 12)], [.. Enumerable.Range(3, 13)] })
        {
            using GenerationOutput cached = model.Generate(new GenerationInput { InputIds = [prompt] }, config, Cancellation);
            using GenerationOutput computed = model.Generate(new GenerationInput { InputIds = [prompt] }, config with { UseCache = false }, Cancellation);
            Assert.Equal(computed.Sequences[0].NewIds, cached.Sequences[0].NewIds);
            Assert.Equal(computed.Sequences[0].LogProbabilities[^1], cached.Sequences[0].LogProbabilities[^1], 1e-4f);
        }
    }

    [Fact]
    public void The_end_of_a_prompt_is_healed_by_a_longer_token_that_begins_alike()
    {
        PretrainedTokenizer tokenizer = TinyDecoder.LoadTokenizer();
        using var model = new CausalLanguageModel(ModelSamples.Config() with { VocabularySize = tokenizer.VocabularySize, LayerCount = 1 }, seed: 1);
        int[] prompt = [.. tokenizer.EncodeIds("The link is", addSpecialTokens: false), tokenizer.EncodeIds(" ", addSpecialTokens: false)[0]];
        var input = new GenerationInput { InputIds = [prompt], Tokenizer = tokenizer };
        using GenerationOutput healed = model.Generate(input, s_noEnd with { TokenHealing = true }, Cancellation);

        // By hand: the likeliest of all tokens that begin with a blank, with the reference's favour for the one that stands there.
        using GenerationOutput next = model.Generate(new GenerationInput { InputIds = [prompt[..^1]] }, new() { MaxNewTokens = 1, OutputLogits = true }, Cancellation);
        float[] logits = next.Logits[0];
        logits[prompt[^1]]++;
        int expected = Enumerable.Range(0, logits.Length).Where(id => tokenizer.Decode([id], true).StartsWith(' ')).MaxBy(id => logits[id]);

        Assert.NotEqual(prompt[^1], expected);
        Assert.Equal([.. prompt[..^1], expected], healed.Sequences[0].PromptIds);
        Assert.Equal(model.Generate([.. prompt[..^1], expected], s_noEnd, Cancellation).NewIds, healed.Sequences[0].NewIds);
        Assert.Throws<ArgumentException>(() => model.Generate([3, 4], new() { TokenHealing = true }, Cancellation));
    }

    [Fact]
    public void What_cannot_be_done_is_refused_before_anything_is_computed()
    {
        using var model = Model();
        Refused(new() { NumReturnSequences = 2 }, "NumReturnSequences");
        Refused(new() { NumBeams = 2, NumReturnSequences = 3 }, "NumBeams");
        Refused(new() { MaxNewTokens = 0 }, "MaxNewTokens");
        Refused(new() { MaxLength = 5 }, "MaxNewTokens");
        Refused(new() { PrefillChunkSize = 0 }, "PrefillChunkSize");
        Refused(new() { DoSample = true, Temperature = 0 }, "DoSample");
        Refused(new() { DoSample = true, TopP = 1.1 }, "TopP");
        Refused(new() { DoSample = true, TopK = -1 }, "TopK");
        Refused(new() { DoSample = true, MinP = -1 }, "MinP");
        Refused(new() { DoSample = true, TypicalP = 2 }, "TypicalP");
        Refused(new() { DoSample = true, EpsilonCutoff = 1 }, "EpsilonCutoff");
        Refused(new() { DoSample = true, EtaCutoff = -1 }, "EtaCutoff");
        Refused(new() { DoSample = true, TopH = 0 }, "TopH");
        Refused(new() { RepetitionPenalty = 0 }, "RepetitionPenalty");
        Refused(new() { NoRepeatNgramSize = -1 }, "NoRepeatNgramSize");
        Refused(new() { NumBeams = 3, NumBeamGroups = 2 }, "NumBeamGroups");
        Refused(new() { ForceWordsIds = [[[3]]] }, "NumBeams");
        Refused(new() { PromptLookupNumTokens = 3 }, "one prompt");
        Refused(new() { EosTokenIds = [60] }, "60");
        Refused(new() { BadWordsIds = [[60]] }, "60");
        Refused(new() { SequenceBias = [new SequenceBias { Ids = [], Bias = 1 }] }, "empty");
        Refused(new() { StopStrings = ["x"] }, "Tokenizer");
        Refused(new() { Watermark = new Watermark { GreenlistRatio = 1 } }, "GreenlistRatio");
        RefusedInput(new() { InputIds = [[60]] }, "60");
        RefusedInput(new() { InputIds = [[]] }, "padding");
        RefusedInput(new() { InputIds = [] }, "empty");
        RefusedInput(new() { InputIds = [[3, 4]], AttentionMask = [[true, false]] }, "left");
        RefusedInput(new() { InputIds = [[3, 4]], AttentionMask = [[true]] }, "columns");
        RefusedInput(new() { InputIds = s_prompts, Seeds = [1] }, "seeds");

        void Refused(GenerationConfig config, string named) => Check(new GenerationInput { InputIds = s_prompts }, config, named);
        void RefusedInput(GenerationInput input, string named) => Check(input, s_noEnd, named);
        void Check(GenerationInput input, GenerationConfig config, string named) =>
            Assert.Contains(named, Assert.ThrowsAny<ArgumentException>(() => model.Generate(input, config, Cancellation)).Message);
    }

    [Fact]
    public void Generation_leaves_no_tensor_behind()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        using var assistant = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 2);
        using var source = new CancellationTokenSource();
        source.Cancel();
        LeakTests.AssertSteady(() =>
        {
            foreach (GenerationConfig config in new[]
            {
                s_noEnd, s_sampling, s_noEnd with { NumBeams = 3 }, s_noEnd with { NumBeams = 4, NumBeamGroups = 2, DiversityPenalty = 0.5 }, s_noEnd with { PenaltyAlpha = 0.6, TopK = 4 },
                s_noEnd with { GuidanceScale = 1.5 },
            })
            {
                model.Generate(new GenerationInput { InputIds = s_prompts }, config, Cancellation).Dispose();
                Assert.Throws<OperationCanceledException>(() => model.Generate(new GenerationInput { InputIds = s_prompts }, config, source.Token));
            }

            model.Generate(new GenerationInput { InputIds = s_prompts, ReturnCache = true }, s_noEnd with { EosTokenIds = [3, 8, 20] }, Cancellation).Dispose();
            model.Generate(new GenerationInput { InputIds = [s_prompts[0]], AssistantModel = assistant }, s_noEnd, Cancellation).Dispose();
            model.Generate([5, 9, 5, 9, 5], s_noEnd with { PromptLookupNumTokens = 3 }, Cancellation);
        });
    }

    private static CausalLanguageModel Model() => new(ModelSamples.Config(), seed: 1);

    private sealed class Only(int allowed) : LogitsProcessor
    {
        public override void Process(LogitsContext context, Span<float> scores)
        {
            for (int id = 0; id < scores.Length; id++)
                if (id != allowed) scores[id] = float.NegativeInfinity;
        }
    }
}
