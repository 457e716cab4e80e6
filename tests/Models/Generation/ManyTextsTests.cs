namespace MLComponents.Models.Tests;

public class ManyTextsTests
{
    private static readonly GenerationConfig s_config = new() { DoSample = true, Temperature = 1.3, Seed = 11, EosTokenIds = [2, 7, 20], MaxNewTokens = 30 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Models => ["qwen2", "qwen2, some layers slide", "phi3, all layers slide", "gpt_neox", "llama"];

    [Theory]
    [MemberData(nameof(Models))]
    public void What_a_text_becomes_does_not_depend_on_those_beside_it(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        int[][] prompts = Prompts(40);
        GeneratedSequence[] one = [.. model.GenerateMany(prompts, s_config, batchSize: 1, cancellationToken: Cancellation)];
        foreach (int size in new[] { 2, 7, 64 })
        {
            GeneratedSequence[] several = [.. model.GenerateMany(prompts, s_config, size, cancellationToken: Cancellation)];
            Assert.Equal(one.Select(row => string.Join(" ", row.NewIds)), several.Select(row => string.Join(" ", row.NewIds)));
            Assert.Equal(Enumerable.Range(0, prompts.Length), several.Select(row => row.PromptIndex));
            Assert.Equal(one.Select(row => row.FinishReason), several.Select(row => row.FinishReason));
        }

        Assert.Contains(FinishReason.EndOfText, one.Select(row => row.FinishReason));
        Assert.Contains(FinishReason.Length, one.Select(row => row.FinishReason));
    }

    [Fact]
    public void Rotary_frequencies_that_depend_on_the_length_are_those_of_each_text()
    {
        using var model = new CausalLanguageModel(
            ModelSamples.Config(""", "rope_scaling": {"rope_type": "longrope", "short_factor": [1, 1.2], "long_factor": [4, 7], "factor": 4}, "original_max_position_embeddings": 12"""), seed: 1);
        int[][] prompts = Prompts(12);
        GeneratedSequence[] together = [.. model.GenerateMany(prompts, s_config, batchSize: 5, cancellationToken: Cancellation)];
        GeneratedSequence[] alone = [.. model.GenerateMany(prompts, s_config, batchSize: 1, cancellationToken: Cancellation)];
        Assert.Equal(alone.Select(row => string.Join(" ", row.NewIds)), together.Select(row => string.Join(" ", row.NewIds)));
    }

    [Fact]
    public void Prompts_are_read_as_they_are_needed_and_a_prefix_is_read_once()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        int[] prefix = [5, 9, 33, 41];
        int[][] prompts = [.. Prompts(20).Select(row => (int[])[.. prefix, .. row])];
        using var cache = PromptCache.Create(model, prefix);
        int taken = 0;
        IEnumerable<int[]> Counted()
        {
            foreach (int[] prompt in prompts)
            {
                taken++;
                yield return prompt;
            }
        }

        using IEnumerator<GeneratedSequence> texts = model.GenerateMany(Counted(), s_config, batchSize: 4, input: new GenerationInput { Cache = cache }, cancellationToken: Cancellation).GetEnumerator();
        Assert.Equal(0, taken);
        List<GeneratedSequence> all = [];
        Assert.True(texts.MoveNext());
        Assert.True(taken < 20);
        do all.Add(texts.Current);
        while (texts.MoveNext());

        GeneratedSequence[] expected = [.. model.GenerateMany(prompts, s_config, batchSize: 4, cancellationToken: Cancellation)];
        Assert.Equal(expected.Select(row => string.Join(" ", row.NewIds)), all.Select(row => string.Join(" ", row.NewIds)));
    }

    [Fact]
    public void Criteria_and_allowed_tokens_are_told_which_of_many_prompts_it_is()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        var input = new GenerationInput { AllowedTokens = (prompt, _) => [10 + prompt], StoppingCriteria = [(prompt, ids) => ids.Length == 3 + prompt] };
        GeneratedSequence[] texts = [.. model.GenerateMany(Enumerable.Range(0, 9).Select(_ => new[] { 5, 6 }), s_config, batchSize: 4, input: input, cancellationToken: Cancellation)];
        for (int prompt = 0; prompt < 9; prompt++) Assert.Equal(Enumerable.Repeat(10 + prompt, 1 + prompt), texts[prompt].NewIds);
        Assert.Throws<ArgumentException>(() => model.GenerateMany([[5]], input: new GenerationInput { InputIds = [[5]] }, cancellationToken: Cancellation));
    }

    [Fact]
    public void Rows_leave_a_running_batch_when_they_are_cancelled_and_the_others_go_on()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var batch = new RunningBatch(model);
        using var source = new CancellationTokenSource();
        GenerationConfig config = s_config with { EosTokenIds = [] };
        RunningRow stays = Row(5, CancellationToken.None), cancelled = Row(6, source.Token), removed = Row(7, CancellationToken.None), late = Row(8, CancellationToken.None);
        batch.Join([stays, cancelled, removed]);
        for (int step = 0; step < 5; step++) Assert.Empty(batch.Step());
        source.Cancel();
        Assert.Equal([cancelled], batch.Step());
        Assert.IsAssignableFrom<OperationCanceledException>(cancelled.Fault);
        batch.Remove(removed);
        batch.Join([late]);
        Assert.Equal(2, batch.Count);
        List<RunningRow> ended = [];
        while (batch.Count > 0) ended.AddRange(batch.Step());

        Assert.Equal([stays, late], ended);
        Assert.Equal(model.Generate(new GenerationInput { InputIds = [[5]], Seeds = [5] }, config, Cancellation).Sequences[0].NewIds, stays.Row.NewIds.ToArray());
        Assert.Equal(model.Generate(new GenerationInput { InputIds = [[8]], Seeds = [8] }, config, Cancellation).Sequences[0].NewIds, late.Row.NewIds.ToArray());
        Assert.Throws<ArgumentException>(() => new RunningRow(new GenerationCall(model, new GenerationInput { InputIds = [[5]] }, config with { NumBeams = 2 }, Cancellation)));

        RunningRow Row(int token, CancellationToken cancellation) => new(new GenerationCall(model, new GenerationInput { InputIds = [[token]], Seeds = [token] }, config, cancellation));
    }

    [Fact]
    public void Prompts_are_read_together_with_the_last_tokens_of_texts_that_go_on()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var batch = new RunningBatch(model);
        var passes = ((FusedDecodingModel)model.Decoding).Passes;
        batch.Join([Row(4, 8), Row(5, 8)]);
        for (int step = 0; step < 3; step++) batch.Step();
        Assert.Equal(3, passes.Passes);

        batch.Join([Row(6, 2), Row(7, 2)]);
        batch.Step();
        Assert.Equal(2, batch.Step().Count);
        Assert.Equal(5, passes.Passes);

        RunningRow Row(int token, int count) =>
            new(new GenerationCall(model, new GenerationInput { InputIds = [[token, token, token]], Seeds = [token] }, s_config with { EosTokenIds = [], MaxNewTokens = count }, Cancellation));
    }

    [Fact]
    public void Prompts_read_in_chunks_and_rows_that_leave_before_their_first_token_change_nothing()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        GenerationConfig config = s_config with { EosTokenIds = [] };
        using var batch = new RunningBatch(model);
        RunningRow chunked = Row(4, config with { PrefillChunkSize = 2 }), plain = Row(5, config), removed = Row(6, config with { PrefillChunkSize = 1 });
        batch.Join([plain]);
        batch.Step();
        batch.Join([removed, chunked]);
        batch.Remove(removed);
        while (batch.Count > 0) batch.Step();

        foreach (RunningRow row in (RunningRow[])[chunked, plain])
        {
            int token = row.Call.Prompts.Ids(0)[0];
            Assert.Equal(model.Generate(new GenerationInput { InputIds = [[token, 9, token]], Seeds = [token] }, config, Cancellation).Sequences[0].NewIds, row.Row.NewIds.ToArray());
        }

        Assert.Equal(0, removed.Row.NewIds.Length);

        RunningRow Row(int token, GenerationConfig own) => new(new GenerationCall(model, new GenerationInput { InputIds = [[token, 9, token]], Seeds = [token] }, own, Cancellation));
    }

    [Fact]
    public void A_prompt_that_cannot_be_read_leaves_nothing_behind()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var batch = new RunningBatch(model);
        using var source = new CancellationTokenSource();
        GenerationConfig config = s_config with { EosTokenIds = [], PrefillChunkSize = 1, MaxNewTokens = 3 };
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => batch.Join([Row(source.Token)]));
        Assert.Equal(0, batch.Count);

        batch.Join([Row(CancellationToken.None)]);
        while (batch.Count > 0) batch.Step();

        RunningRow Row(CancellationToken cancellation) => new(new GenerationCall(model, new GenerationInput { InputIds = [[4, 5, 6]] }, config, cancellation));
    }

    [Fact]
    public void Many_texts_leave_no_tensor_behind_even_when_they_are_left()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        int[][] prompts = Prompts(10);
        LeakTests.AssertSteady(() =>
        {
            Assert.Equal(10, model.GenerateMany(prompts, s_config, batchSize: 3, cancellationToken: Cancellation).Count());
            Assert.NotEmpty(model.GenerateMany(prompts, s_config, batchSize: 3, cancellationToken: Cancellation).Take(2).ToArray());
        });
    }

    private static int[][] Prompts(int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(_ => (int[])[.. Enumerable.Range(0, 1 + random.Next(12)).Select(_ => random.Next(3, 60))])];
    }
}
