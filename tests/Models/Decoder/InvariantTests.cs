using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What must hold for every model of every family, tried on random small ones.</summary>
public class InvariantTests
{
    private const double Tolerance = 1e-4;

    public static IEnumerable<TheoryDataRow<string, int>> Models() => FamilySamples.Rows();

    [Theory]
    [MemberData(nameof(Models))]
    public void Eager_equals_sdpa(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = FamilySamples.Config(family, seed, lengthDependentRope: true);
        using var sdpa = new CausalLanguageModel(config, seed);
        using var eager = new CausalLanguageModel(config, seed, attention: AttentionImplementation.Eager);
        Tensor ids = Ids(3, 12), mask = LeftPadding(ids, 0, 4, 10);

        Close(sdpa.forward(ids), eager.forward(ids), "without mask");
        Close(sdpa.forward(ids, mask)[mask != 0], eager.forward(ids, mask)[mask != 0], "left-padded");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_row_of_a_batch_equals_the_row_alone(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        Tensor ids = Ids(4, 9);

        Tensor batch = model.forward(ids);

        for (int row = 0; row < 4; row++) Close(model.forward(ids[row].unsqueeze(0))[0], batch[row], $"row {row}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Padding_on_either_side_changes_nothing(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        Tensor ids = Ids(1, 7), padding = zeros(1, 32, dtype: ScalarType.Int64);
        Tensor ones = ones_like(ids), hidden = zeros_like(padding);
        Tensor expected = model.forward(ids);

        Tensor right = model.forward(cat([ids, padding], 1), cat([ones, hidden], 1)).narrow(1, 0, 7);
        Tensor leftMask = cat([hidden, ones], 1);
        Tensor left = model.forward(cat([padding, ids], 1), leftMask).narrow(1, 32, 7);
        Tensor positioned = model.forward(cat([padding, ids], 1), leftMask, (leftMask.cumsum(1) - 1).clamp(0)).narrow(1, 32, 7);

        Close(expected, right, "on the right");
        Close(expected, left, "on the left");
        Close(expected, positioned, "on the left, with the position ids of generation");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Texts_packed_into_a_row_equal_the_texts_alone(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        int[] lengths = [5, 1, 8];
        Tensor[] texts = [.. lengths.Select(length => Ids(1, length))];

        Tensor packed = model.forward(cat(texts, 1), null, cat([.. lengths.Select(length => arange(length))]).unsqueeze(0));

        int start = 0;
        foreach (Tensor text in texts)
        {
            Close(model.forward(text), packed.narrow(1, start, text.shape[1]), $"the text at {start}");
            start += (int)text.shape[1];
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Cached_equals_uncached(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        if (!model.Config.IsCausal) Assert.Skip("without causality, earlier tokens see later ones, which a cache cannot have");
        Tensor ids = Ids(2, 20), mask = LeftPadding(ids, 0, 3);
        Tensor expected = model.forward(ids, mask);
        using var cache = new DynamicCache();
        List<Tensor> logits = [];

        foreach (int length in (int[])[6, 1, 1, 9, 3])
        {
            int start = cache.Length;
            logits.Add(model.Forward(new DecoderInput { InputIds = ids.narrow(1, start, length), AttentionMask = mask.narrow(1, 0, start + length), Cache = cache }).Logits);
        }

        Close(expected[mask != 0], cat(logits, 1)[mask != 0], "logits");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Embeddings_given_by_hand_equal_ids(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        Tensor ids = Ids(2, 6);
        string name = $"{model.Names.Base}.{model.Names.TokenEmbedding}.weight";
        Tensor embeddings = model.get_parameter(name)!.index_select(0, ids.view(-1)).view(2, 6, -1);

        using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputsEmbeds = embeddings });

        Close(model.forward(ids), output.Logits, "logits");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Hidden_states_and_attentions_have_their_shapes_and_windows(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = FamilySamples.Config(family, seed);
        using var model = new CausalLanguageModel(config, seed, attention: AttentionImplementation.Eager);

        using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = Ids(2, 9), OutputHiddenStates = true, OutputAttentions = true });

        Assert.Equal(config.LayerCount + 1, output.Decoder.HiddenStates.Count);
        Assert.All(output.Decoder.HiddenStates, state => Assert.Equal([2L, 9L, config.HiddenSize], state.shape));
        Assert.True(output.Decoder.LastHiddenState.equal(output.Decoder.HiddenStates[^1]).all().item<bool>());
        Assert.Equal(config.LayerCount, output.Decoder.Attentions.Count);
        Tensor query = arange(9).unsqueeze(1), key = arange(9).unsqueeze(0);
        for (int layer = 0; layer < config.LayerCount; layer++)
        {
            Tensor weights = output.Decoder.Attentions[layer];
            Assert.Equal([2L, config.HeadCount, 9L, 9L], weights.shape);
            TensorAssert.Within(ones(2, config.HeadCount, 9), weights.sum(-1), 1e-5, "sums of weights");
            Tensor visible = config.IsCausal ? key <= query : ones(9, 9, dtype: ScalarType.Bool);
            if (config.IsSliding(layer)) visible = visible & (key > query - config.SlidingWindow!.Value);
            Assert.Equal(0, TensorAssert.Largest(weights.masked_select(visible.logical_not().expand_as(weights))));
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Checkpointed_gradients_equal_those_of_kept_activations(string family, int seed)
    {
        using var scope = NewDisposeScope();
        using CausalLanguageModel model = Model(family, seed);
        model.train();
        Tensor ids = Ids(2, 7), mask = LeftPadding(ids, 0, 2);

        Dictionary<string, Tensor> expected = Gradients(model, ids, mask);
        model.GradientCheckpointing = true;
        Dictionary<string, Tensor> actual = Gradients(model, ids, mask);

        Assert.Equal(expected.Keys, actual.Keys);
        foreach (var (name, gradient) in expected) TensorAssert.Within(gradient, actual[name], 1e-6 * Math.Max(1, TensorAssert.Largest(gradient)), name);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_model_that_was_saved_and_loaded_is_the_same(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using CausalLanguageModel model = Model(family, seed);
        Tensor ids = Ids(2, 6);

        model.Save(folder.Path);
        using CausalLanguageModel loaded = CausalLanguageModel.Load(folder.Path);

        Assert.True(loaded.Report!.IsExact, loaded.Report.ToString());
        Assert.Equal(model.Config, loaded.Config);
        Assert.Equal(model.ParameterCount, loaded.ParameterCount);
        Assert.True(model.forward(ids).equal(loaded.forward(ids)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Every_head_gives_its_shape_and_comes_back_from_its_folder(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        DecoderConfig config = FamilySamples.Config(family, seed) with { LabelNames = ["a", "b", "c"] };
        Tensor ids = Ids(2, 6);

        using (var model = new SequenceClassificationModel(config, seed))
        {
            model.Save(folder.Path);
            using SequenceClassificationModel loaded = SequenceClassificationModel.Load(folder.Path);
            Assert.Equal([2L, 3L], model.forward(ids).shape);
            Assert.True(model.forward(ids).equal(loaded.forward(ids)).all().item<bool>());
            if (config.IsCausal) Close(model.forward(ids), model.ForwardPooled(ids, full([2], 5, ScalarType.Int64)), "the fast path");
        }

        using (var model = new TokenClassificationModel(config, seed))
        {
            model.Save(folder.Path);
            using TokenClassificationModel loaded = TokenClassificationModel.Load(folder.Path);
            model.eval();
            Assert.Equal([2L, 6L, 3L], model.forward(ids).shape);
            Assert.True(model.forward(ids).equal(loaded.forward(ids)).all().item<bool>());
        }

        using (var model = new QuestionAnsweringModel(config, seed))
        {
            model.Save(folder.Path);
            using QuestionAnsweringModel loaded = QuestionAnsweringModel.Load(folder.Path);
            var (start, end) = model.forward(ids);
            var (loadedStart, loadedEnd) = loaded.forward(ids);
            Assert.Equal([2L, 6L], start.shape);
            Assert.True(start.equal(loadedStart).all().item<bool>());
            Assert.True(end.equal(loadedEnd).all().item<bool>());
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Answers_are_scored_by_a_matrix_on_the_decoders_states(string family, int seed)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using CausalLanguageModel language = Model(family, seed);
        language.Save(folder.Path);
        using QuestionAnsweringModel model = QuestionAnsweringModel.Load(folder.Path, seed: seed);
        Tensor ids = Ids(2, 6), mask = LeftPadding(ids, 0, 2);

        // The same weights, the same decoder, and the reference's equation: logits = h Wᵀ + b, one column for starts and one for ends.
        using CausalLanguageModelOutput output = language.Forward(new DecoderInput { InputIds = ids, AttentionMask = mask });
        string head = model.Names.HeadOf(ModelHead.QuestionAnswering);
        Tensor weight = model.get_parameter($"{head}.weight")!, bias = model.get_parameter($"{head}.bias")!;
        Tensor expected = output.Decoder.LastHiddenState.matmul(weight.t()) + bias;
        var (start, end) = model.forward(ids, mask);

        Assert.Equal([$"{head}.weight", $"{head}.bias"], model.Report!.Fresh);
        Assert.True(TensorAssert.Largest(weight) > 0);
        Close(expected.select(-1, 0)[mask != 0], start[mask != 0], "starts");
        Close(expected.select(-1, 1)[mask != 0], end[mask != 0], "ends");
    }

    private static CausalLanguageModel Model(string family, int seed)
    {
        var model = new CausalLanguageModel(FamilySamples.Config(family, seed), seed);
        model.eval();
        return model;
    }

    private static Tensor Ids(int rows, int length) => randint(3, FamilySamples.Vocabulary, [rows, length]);

    /// <summary>A mask with so many zeros at the start of each row.</summary>
    private static Tensor LeftPadding(Tensor ids, params long[] padding) =>
        (arange(ids.shape[1]).unsqueeze(0) >= tensor(padding).unsqueeze(1)).to(ScalarType.Int64);

    private static Dictionary<string, Tensor> Gradients(CausalLanguageModel model, Tensor ids, Tensor mask)
    {
        CausalLanguageModel.Loss(model.forward(ids, mask), ids).backward();
        var gradients = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        foreach (var parameter in model.parameters()) parameter.grad = null;
        return gradients;
    }

    private static void Close(Tensor expected, Tensor actual, string what) => TensorAssert.Within(expected, actual, Tolerance * Math.Max(1, TensorAssert.Largest(expected)), what);
}
