using static MLComponents.Models.Tests.BatchReading;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The fused kernels give what the forward pass gives.</summary>
public class FusedDecodingTests
{
    public static IEnumerable<TheoryDataRow<string, int>> Samples() => FamilySamples.Rows();

    [Theory]
    [MemberData(nameof(BatchReading.ModelsAndWidths), MemberType = typeof(BatchReading))]
    public void Every_width_of_vectors_gives_the_logits_of_the_forward_pass(string name, string width)
    {
        using var model = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        CompareSteps(model, new FusedDecodingModel(model) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue });
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_family_gives_the_logits_of_the_forward_pass_whatever_its_switches(string family, int seed)
    {
        foreach (bool byForwardPass in (bool[])[true, false])
        {
            using var model = new CausalLanguageModel(FamilySamples.Config(family, seed, lengthDependentRope: true), seed: 1);
            CompareSteps(model, new FusedDecodingModel(model) { LongPrompt = byForwardPass ? 1 : int.MaxValue });
        }
    }

    [Theory]
    [MemberData(nameof(BatchReading.ModelsAndWidths), MemberType = typeof(BatchReading))]
    public void In_bfloat16_the_logits_are_no_further_from_float32_than_those_of_the_forward_pass(string name, string width)
    {
        using var exact = new CausalLanguageModel(CacheModels.Config(name), seed: 1);
        using var rounded = new CausalLanguageModel(CacheModels.Config(name), seed: 1, ScalarType.BFloat16);
        foreach (var (wide, narrow) in exact.parameters().Zip(rounded.parameters()))
        {
            using var noGradient = no_grad();
            narrow.copy_(wide);
            wide.copy_(narrow);
        }

        using IDecodingBatch expected = new TorchDecodingModel(exact).NewBatch(4, canForget: true);
        using IDecodingBatch torch = new TorchDecodingModel(rounded).NewBatch(4, canForget: true);
        using IDecodingBatch fused = new FusedDecodingModel(rounded) { Width = Enum.Parse<VectorWidth>(width), LongPrompt = int.MaxValue }.NewBatch(4, canForget: true);
        Assert.IsType<FusedDecodingBatch>(fused);
        double allowed = 0, found = 0;
        for (int step = 0; step < 12; step++)
        {
            int[][] tokens = step == 0 ? Texts : [[3 + step], [20 + step], [40 - step], [7]];
            float[] right = Read(expected, tokens), theirs = Read(torch, tokens), ours = Read(fused, tokens);
            allowed = Math.Max(allowed, right.Zip(theirs, (a, b) => Math.Abs(a - b)).Max());
            found = Math.Max(found, right.Zip(ours, (a, b) => Math.Abs(a - b)).Max());
        }

        Assert.InRange(found, 1e-6, 1.5 * allowed);
    }

    [Fact]
    public void Rows_give_the_same_bits_alone_among_others_and_with_another_number_of_threads()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2"), seed: 1, ScalarType.BFloat16);
        var decoding = new FusedDecodingModel(model) { LongPrompt = int.MaxValue, Team = new WorkerTeam(3) };
        int threads = get_num_threads();
        try
        {
            set_num_threads(3);
            using IDecodingBatch together = decoding.NewBatch(4, canForget: true);
            float[][] expected = [Read(together, Texts), Read(together, [[9], [8], [7], [6]])];

            set_num_threads(1);
            for (int row = 0; row < Texts.Length; row++)
            {
                using IDecodingBatch alone = decoding.NewBatch(1, canForget: true);
                Assert.Equal(Row(model, expected[0], row), Read(alone, [Texts[row]]));
                Assert.Equal(Row(model, expected[1], row), Read(alone, [[9 - row]]));
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Scored_positions_and_hidden_states_are_those_of_the_last_tokens()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        int[] text = [.. Enumerable.Range(0, 100).Select(place => 3 + (place % 50))];
        foreach (int longPrompt in (int[])[1, int.MaxValue])
        {
            using IDecodingBatch batch = new FusedDecodingModel(model) { LongPrompt = longPrompt }.NewBatch(1, canForget: false);
            float[] logits = new float[70 * 60], hidden = new float[70 * 24];

            batch.Read(text, [text.Length], 70, logits, hidden);

            using CausalLanguageModelOutput expected = model.Forward(new DecoderInput { InputIds = tensor(text).unsqueeze(0) }, 70);
            AssertClose(expected.Logits.flatten().data<float>().ToArray(), logits);
            AssertClose(expected.Decoder.LastHiddenState.narrow(1, text.Length - 70, 70).flatten().data<float>().ToArray(), hidden);
        }
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("phi"), seed: 1, ScalarType.BFloat16);
        using IDecodingBatch batch = new FusedDecodingModel(model).NewBatch(2, canForget: false);
        float[] logits = new float[2 * 60];
        int[] counts = [1, 1], tokens = [3, 4];

        // The lists of tokens and pages double now and then.
        for (int token = 0; token < 70; token++) batch.Read(tokens, counts, 1, logits);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int token = 0; token < 50; token++) batch.Read(tokens, counts, 1, logits);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Training_counts_at_once_and_what_cannot_be_read_from_bare_weights_is_left_to_the_forward_pass()
    {
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        var decoding = new FusedDecodingModel(model);
        int[] text = [4, 5, 6];
        Check();

        using (no_grad()) foreach (var parameter in model.parameters()) parameter.mul_(0.9);
        Check();

        model.UntieWordEmbeddings();
        Check();
        model.ResizeTokenEmbeddings(77);
        Check();
        model.TieWordEmbeddings();
        Check();

        LoraAdapter adapter = model.Adapters.Add(new LoraOptions { Initialization = LoraInitialization.Random, TargetModules = ["q_proj"] });
        using (IDecodingBatch batch = decoding.NewBatch(1, canForget: false))
        {
            Assert.IsType<TorchDecodingBatch>(batch);
            AssertClose(Alone(model, text), Read(batch, [text], model.Config.VocabularySize));
        }

        model.Adapters.Merge();
        Check();

        void Check()
        {
            using IDecodingBatch batch = decoding.NewBatch(1, canForget: false);
            Assert.IsType<FusedDecodingBatch>(batch);
            AssertClose(Alone(model, text), Read(batch, [text], model.Config.VocabularySize));
        }
    }

    [Fact]
    public void Rows_are_not_read_with_weights_that_are_gone()
    {
        var model = new CausalLanguageModel(ModelSamples.Config(), seed: 1);
        using IDecodingBatch batch = new FusedDecodingModel(model).NewBatch(1, canForget: false);
        Read(batch, [[3, 4]]);
        model.ResizeTokenEmbeddings(77);
        Assert.Throws<InvalidOperationException>(() => Read(batch, [[5]]));
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Read(batch, [[5]]));
    }
}
