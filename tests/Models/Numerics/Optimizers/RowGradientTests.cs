using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>The gradient of an embedding as the rows that were read: the same numbers, the same steps.</summary>
public class RowGradientTests
{
    private const int Vocabulary = 700, Width = 300; // rows lie across the border of chunks, and are longer than what is computed at once

    private static readonly Dictionary<string, Func<ParameterGroup[], bool, Optimizer>> s_optimizers = new()
    {
        ["AdamW"] = (groups, masters) => new FusedAdamW(groups, masters, seed: 7),
        ["Lion"] = (groups, masters) => new Lion(groups, masters, seed: 7),
        ["SGD"] = (groups, masters) => new StochasticGradientDescent(groups, masters, seed: 7),
        ["SGD with momentum"] = (groups, masters) => new StochasticGradientDescent(groups, masters, 0.9, nesterov: true, seed: 7),
    };

    public static IEnumerable<TheoryDataRow<string, ScalarType, bool>> Steps() =>
        from name in s_optimizers.Keys
        from kind in new[] { (ScalarType.Float32, false), (ScalarType.BFloat16, true), (ScalarType.BFloat16, false) }
        select new TheoryDataRow<string, ScalarType, bool>(name, kind.Item1, kind.Item2);

    [Theory]
    [MemberData(nameof(Steps))]
    public void Steps_are_those_of_the_whole_matrix_to_the_bit(string name, ScalarType dtype, bool masters)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        Tensor start = randn(Vocabulary, Width).to(dtype);
        Parameter whole = new(start.clone()), parted = new(start.clone());
        var rows = new RowGradient(parted);
        using Optimizer expected = s_optimizers[name]([new ParameterGroup([whole], 0.1)], masters), found = s_optimizers[name]([new ParameterGroup([parted], 0.1)], masters);
        found.Use(rows);
        var random = new Random(5);
        for (int step = 0; step < 4; step++)
        {
            for (int part = 0; part < 2; part++)
            {
                long[] ids = [.. Enumerable.Range(0, 30).Select(_ => (long)random.Next(Vocabulary))];
                rows.Add(ids, randn(ids.Length, Width).to(dtype));
            }

            whole.grad = rows.ToDense();
            Assert.Equal(expected.GradientNorm(), found.GradientNorm(), 1e-5 * expected.GradientNorm());
            expected.Step(0.01, 0.5);
            found.Step(0.01, 0.5);
            expected.ZeroGradients();
            found.ZeroGradients();
            Assert.Empty(rows.Rows);
            Assert.True(whole.equal(parted).all().item<bool>(), $"step {step}");
            foreach (var (own, other) in expected.State.Zip(found.State)) Assert.True(own.Value.equal(other.Value).all().item<bool>(), $"{own.Key} in step {step}");
            if (step == 1) found.Restore(found.StepCount, found.State.ToDictionary(pair => pair.Key, pair => pair.Value.clone()));
        }

        expected.Step(0.01); // without any gradient nothing moves
        found.Step(0.01);
        Assert.True(whole.equal(parted).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.Float32, 0)]
    [InlineData(ScalarType.BFloat16, 0)]
    [InlineData(ScalarType.Float32, null)]
    public void An_embedding_gives_the_gradient_that_it_has_as_a_matrix(ScalarType dtype, int? frozenId)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using TokenEmbedding embedding = TokenEmbedding.Create(50, 12, frozenId, dtype, CPU);
        using (no_grad()) embedding.Weight.copy_(randn(50, 12));
        Tensor ids = tensor(new long[] { 3, 0, 7, 3, 3, 49, 0, 1 }, [2, 4]), factors = randn(2, 4, 12).to(dtype);
        Tensor vectors = embedding.forward(ids);
        (vectors * factors).sum().backward();
        Tensor expected = embedding.Weight.grad!.clone();
        embedding.Weight.grad = null;
        var rows = new RowGradient(embedding.Weight);
        embedding.RowGradient = rows;
        Tensor again = embedding.forward(ids);
        Assert.True(vectors.equal(again).all().item<bool>());
        (again * factors).sum().backward();
        Assert.Null(embedding.Weight.grad);
        Assert.Equal([0L, 1, 3, 7, 49], rows.Rows.Order());
        TensorAssert.Within(expected, rows.ToDense(), dtype == ScalarType.Float32 ? 1e-6 : 0.05, "the gradient");
        (embedding.forward(ids) * factors).sum().backward();
        TensorAssert.Within(expected * 2, rows.ToDense(), dtype == ScalarType.Float32 ? 1e-6 : 0.1, "the gradient of two passes");
        rows.Clear();
        using (no_grad()) embedding.forward(ids);
        Assert.Empty(rows.Rows);
    }

    [Fact]
    public void Only_an_embedding_that_is_trained_by_what_is_read_alone_has_rows()
    {
        using var classifier = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        Assert.True(classifier.CanKeepRowGradient);
        classifier.Freeze("model.embed_tokens.*");
        Assert.False(classifier.CanKeepRowGradient);
        classifier.Unfreeze("*");
        classifier.Adapters.Add(new LoraOptions { TargetModules = ["embed_tokens"] });
        Assert.False(classifier.CanKeepRowGradient);
        using var tied = new CausalLanguageModel(ModelSamples.Config(""", "tie_word_embeddings": true"""), seed: 1);
        using var untied = new CausalLanguageModel(ModelSamples.Config(""", "tie_word_embeddings": false"""), seed: 1);
        Assert.Equal((false, true), (tied.CanKeepRowGradient, untied.CanKeepRowGradient));
        using var quantized = new QuantizedAdamW([new ParameterGroup([classifier.Decoder.EmbeddingWeight], 0)], masterWeights: false);
        Assert.Throws<NotSupportedException>(() => quantized.Use(new RowGradient(classifier.Decoder.EmbeddingWeight)));
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        model.Freeze("*");
        model.Unfreeze("model.embed_tokens.*");
        var rows = new RowGradient(model.Decoder.EmbeddingWeight);
        model.Decoder.EmbeddingGradient = rows;
        using Tensor ids = randint(3, 60, [3, 8]), last = full([3], 7, ScalarType.Int64);
        LeakTests.AssertSteady(() =>
        {
            using (NewDisposeScope()) model.ForwardPooled(ids, last).sum().backward();
            rows.Clear();
        });
    }
}
