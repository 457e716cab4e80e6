using MLComponents.Tokenization;
using Microsoft.Extensions.AI;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class LanguageModelEmbeddingGeneratorTests
{
    private static readonly string[] s_texts = ["Where is my parcel?", "a", "The invoice of March is wrong: the amount was charged twice.", "b c", "Übergröße ☃"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData(""", "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 1""")]
    [InlineData(""", "rope_scaling": {"rope_type": "dynamic", "factor": 3.0}, "max_position_embeddings": 10""")]
    public async Task Vectors_are_pooled_from_the_final_hidden_states_whatever_the_batch(string more)
    {
        using CausalLanguageModel model = Model(more);
        foreach (EmbeddingPooling pooling in Enum.GetValues<EmbeddingPooling>())
        {
            foreach (int batchTokens in (int[])[1, 24, 4096])
            {
                using var generator = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer, new() { Pooling = pooling, BatchTokens = batchTokens, MaxLength = 64 });
                GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(s_texts, cancellationToken: Cancellation);
                Assert.Equal(s_texts.Length, embeddings.Count);
                for (int index = 0; index < s_texts.Length; index++) AssertClose(Expected(model, s_texts[index], pooling), embeddings[index].Vector.ToArray());
                Assert.Equal(s_texts.Sum(text => ChatSamples.Tokenizer.EncodeIds(text).Length), embeddings.Usage!.InputTokenCount);
                Assert.All(embeddings, embedding => Assert.Equal("qwen2", embedding.ModelId));
            }
        }
    }

    [Fact]
    public async Task Vectors_are_shortened_and_then_normalized_on_request()
    {
        using CausalLanguageModel model = Model();
        using var generator = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer, new() { Normalize = true });
        float[] whole = Expected(model, s_texts[0], EmbeddingPooling.Mean);
        foreach (int dimensions in (int[])[24, 5])
        {
            float[] vector = (await generator.GenerateAsync([s_texts[0]], new() { Dimensions = dimensions }, Cancellation))[0].Vector.ToArray();
            float length = MathF.Sqrt(whole.Take(dimensions).Sum(number => number * number));
            AssertClose([.. whole.Take(dimensions).Select(number => number / length)], vector);
        }
    }

    [Fact]
    public async Task Long_texts_are_refused_or_cut_and_counted()
    {
        using CausalLanguageModel model = Model();
        string text = string.Join(' ', Enumerable.Range(0, 90));
        int tokens = ChatSamples.Tokenizer.EncodeIds(text).Length;
        using var strict = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer);
        Assert.Contains($"Text 1 has {tokens} tokens, and at most 64", (await Assert.ThrowsAsync<ArgumentException>(() => strict.GenerateAsync(["a", text], cancellationToken: Cancellation))).Message);

        using var cutting = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer, new() { MaxLength = 7, Truncate = true, Pooling = EmbeddingPooling.LastToken });
        GeneratedEmbeddings<Embedding<float>> embeddings = await cutting.GenerateAsync(["a", text], cancellationToken: Cancellation);
        Assert.Null(embeddings[0].AdditionalProperties);
        Assert.Equal(tokens - 7, embeddings[1].AdditionalProperties!["truncated_tokens"]);
        AssertClose(Expected(model, ChatSamples.Tokenizer.Decode(ChatSamples.Tokenizer.EncodeIds(text).AsSpan(0, 7), false), EmbeddingPooling.LastToken), embeddings[1].Vector.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_done_is_refused_with_what_was_found()
    {
        using CausalLanguageModel model = Model();
        using var generator = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer);
        await Refused<ArgumentException>("Text 1 has no tokens", ["a", ""]);
        await Refused<ArgumentException>("Text 0 is null", [null!]);
        await Refused<ArgumentException>("'other'", ["a"], new() { ModelId = "other" });
        await Refused<ArgumentOutOfRangeException>("24 numbers", ["a"], new() { Dimensions = 25 });
        await Refused<ArgumentException>("pooling", ["a"], new() { AdditionalProperties = new() { ["pooling"] = "mean" } });
        Assert.Empty(await generator.GenerateAsync([], cancellationToken: Cancellation));
        using var foreign = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using var wrong = new LanguageModelEmbeddingGenerator(foreign, ChatSamples.Tokenizer);
        Assert.Contains("from 0 to 59", (await Assert.ThrowsAsync<ArgumentException>(() => wrong.GenerateAsync(["parcel"], cancellationToken: Cancellation))).Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(s_texts, cancellationToken: new CancellationToken(true)));

        async Task Refused<T>(string expected, string[] texts, EmbeddingGenerationOptions? options = null)
            where T : Exception =>
            Assert.Contains(expected, (await Assert.ThrowsAsync<T>(async () => await generator.GenerateAsync(texts, options, Cancellation))).Message);
    }

    [Fact]
    public void Parallel_callers_get_the_same_vectors_and_leave_nothing_behind()
    {
        using CausalLanguageModel model = Model();
        using var generator = new LanguageModelEmbeddingGenerator(model, ChatSamples.Tokenizer);
        LeakTests.AssertSteady(() =>
        {
            GeneratedEmbeddings<Embedding<float>>[] all = Task.WhenAll(Enumerable.Range(0, 12).Select(_ => generator.GenerateAsync(s_texts))).GetAwaiter().GetResult();
            foreach (GeneratedEmbeddings<Embedding<float>> embeddings in all)
                for (int index = 0; index < s_texts.Length; index++) AssertClose([.. all[0][index].Vector.Span], [.. embeddings[index].Vector.Span]);
        });
    }

    [Fact]
    public void A_generator_gives_what_it_is_made_of()
    {
        using var folder = new TemporaryFolder();
        using (CausalLanguageModel saved = Model()) saved.Save(folder.Path);
        ChatSamples.Tokenizer.Save(folder.Path);
        using IEmbeddingGenerator<string, Embedding<float>> generator = LanguageModelEmbeddingGenerator.Load(folder.Path);
        var metadata = generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.Equal(("mlcomponents", Path.GetFileName(folder.Path), 24), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.NotNull(generator.GetService<PretrainedModel>());
        Assert.NotNull(generator.GetService<PretrainedTokenizer>());
        Assert.Null(generator.GetService<PretrainedModel>("key"));
    }

    private static CausalLanguageModel Model(string more = "") => new(ModelSamples.Config(more) with { VocabularySize = ChatSamples.Tokenizer.VocabularySize, LayerCount = 2 }, seed: 3);

    private static float[] Expected(CausalLanguageModel model, string text, EmbeddingPooling pooling)
    {
        int[] ids = ChatSamples.Tokenizer.EncodeIds(text);
        using var scope = NewDisposeScope();
        using var cache = new DynamicCache(model.Config);
        using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = tensor(ids, ScalarType.Int64).unsqueeze(0), Cache = cache });
        Tensor states = output.Decoder.LastHiddenState.detach()[0];
        var vector = new float[states.shape[1]];
        int first = pooling == EmbeddingPooling.Mean ? 0 : ids.Length - 1;
        for (int token = first; token < ids.Length; token++)
            for (int place = 0; place < vector.Length; place++) vector[place] += states[token, place].item<float>() / (ids.Length - first);
        return vector;
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(MathF.Abs);
        for (int place = 0; place < expected.Length; place++) Assert.InRange(actual[place], expected[place] - (1e-5f * scale), expected[place] + (1e-5f * scale));
    }
}
