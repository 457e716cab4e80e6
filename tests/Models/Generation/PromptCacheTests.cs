using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class PromptCacheTests
{
    private static readonly GenerationConfig s_config = new() { MaxNewTokens = 8, EosTokenIds = [] };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Models => [.. CacheModels.Names];

    public static IEnumerable<TheoryDataRow<string, string>> Turns() =>
        from folder in ParityFolder.WithFile("generate.json")
        from name in GenerationFixture.Names(folder.Name)
        where name == "turn2"
        select ParityFolder.Row(folder, $"generate {name}", folder.Name, name);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Turns))]
    public void A_conversation_goes_on_from_its_cache_as_the_references_does(string folder, string name)
    {
        using var scope = NewDisposeScope();
        using GenerationFixture first = new(folder, "turn1"), second = new(folder, name);
        using CausalLanguageModel model = first.LoadModel();

        using GenerationOutput turn1 = model.Generate(first.Input with { ReturnCache = true }, first.Config, Cancellation);
        using GenerationOutput turn2 = model.Generate(second.Input with { Cache = turn1.Cache }, second.Config, Cancellation);

        Assert.Equal(first.Case.GetProperty("cache_length_afterwards").GetInt32(), turn1.Cache!.IdsOf(0).Count);
        Assert.Equal(GenerationFixture.Rows(second.Expected("sequences")!), second.Padded(turn2, model.GenerationConfig));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void One_prefix_serves_many_prompts_and_stays_as_it_is(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        int[] prefix = [5, 9, 33, 41, 8, 17];
        int[][] prompts = [[.. prefix, 4], [.. prefix, 7, 8, 9, 10], [.. prefix, 12, 50], prefix, [5, 9, 20, 21]];
        using var cache = PromptCache.Create(model, prefix);
        for (int round = 0; round < 2; round++)
        {
            using GenerationOutput expected = model.Generate(new GenerationInput { InputIds = prompts }, s_config, Cancellation);
            using GenerationOutput actual = model.Generate(new GenerationInput { InputIds = prompts, Cache = cache }, s_config, Cancellation);
            Assert.Equal(expected.Sequences.Select(row => row.NewIds), actual.Sequences.Select(row => row.NewIds));
            Assert.Equal(prefix, cache.IdsOf(0));
            using GenerationOutput beams = model.Generate(new GenerationInput { InputIds = prompts, Cache = cache }, s_config with { NumBeams = 3 }, Cancellation);
            using GenerationOutput expectedBeams = model.Generate(new GenerationInput { InputIds = prompts }, s_config with { NumBeams = 3 }, Cancellation);
            Assert.Equal(expectedBeams.Sequences.Select(row => row.NewIds), beams.Sequences.Select(row => row.NewIds));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Conversations_of_several_rows_go_on(string name)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        int[][] prompts = [[5, 9, 33, 41, 8], [4, 50], [12, 7, 30]];
        using GenerationOutput free = model.Generate(new GenerationInput { InputIds = prompts }, s_config, Cancellation);

        // One row ends early, another one goes on longer.
        GenerationConfig config = s_config with { EosTokenIds = [free.Sequences[1].NewIds[2]] };
        using GenerationOutput first = model.Generate(new GenerationInput { InputIds = prompts, ReturnCache = true }, config, Cancellation);
        int[][] next = [.. first.Sequences.Select(row => (int[])[.. row.Ids, 3, 11])];
        using GenerationOutput expected = model.Generate(new GenerationInput { InputIds = next }, s_config, Cancellation);
        using GenerationOutput actual = model.Generate(new GenerationInput { InputIds = next, Cache = first.Cache, ReturnCache = true }, s_config, Cancellation);

        Assert.Equal(expected.Sequences.Select(row => row.NewIds), actual.Sequences.Select(row => row.NewIds));
        for (int row = 0; row < 3; row++)
        {
            Assert.Equal(first.Sequences[row].Ids.SkipLast(1), first.Cache!.IdsOf(row));
            Assert.Equal(actual.Sequences[row].Ids.SkipLast(1), actual.Cache!.IdsOf(row));
        }
    }

    [Fact]
    public void A_cache_of_another_model_or_of_other_rows_is_refused()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var other = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var cache = PromptCache.Create(other, [3, 4]);
        Assert.Contains("another model", Assert.Throws<ArgumentException>(() => model.Generate(new GenerationInput { InputIds = [[3, 4, 5]], Cache = cache }, s_config, Cancellation)).Message);
        Assert.Throws<ArgumentException>(() => PromptCache.Create(model, []));
        using GenerationOutput two = model.Generate(new GenerationInput { InputIds = [[3], [4]], ReturnCache = true }, s_config, Cancellation);
        Assert.Contains("2 texts", Assert.Throws<ArgumentException>(() => model.Generate(new GenerationInput { InputIds = [[3], [4], [5]], Cache = two.Cache }, s_config, Cancellation)).Message);
        cache.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.IdsOf(0));
        Assert.Throws<ObjectDisposedException>(() => other.Generate(new GenerationInput { InputIds = [[3, 4, 5]], Cache = cache }, s_config, Cancellation));
    }
}
