using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class DecoderTests
{
    public static TheoryData<string> Variants() =>
    [
        "",
        """, "num_key_value_heads": 6, "tie_word_embeddings": true""",
        """, "num_key_value_heads": 1, "head_dim": 10""",
        """, "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 1""",
        """, "rope_scaling": {"type": "linear", "factor": 2}, "hidden_act": "gelu_new" """,
    ];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Eager_equals_sdpa(string more)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var sdpa = new CausalLanguageModel(ModelSamples.Config(more), seed: 2);
        using var eager = new CausalLanguageModel(ModelSamples.Config(more), seed: 2, attention: AttentionImplementation.Eager);
        Tensor ids = randint(3, 60, [3, 11]);
        Tensor mask = (arange(11).unsqueeze(0) >= tensor(new long[] { 0, 4, 10 }).unsqueeze(1)).to(ScalarType.Int64);

        TensorAssert.Within(sdpa.forward(ids), eager.forward(ids), 1e-4, "without mask");
        Tensor counted = mask != 0;
        TensorAssert.Within(sdpa.forward(ids, mask)[counted], eager.forward(ids, mask)[counted], 1e-4, "left-padded");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Cached_equals_uncached_in_any_chunks(string more)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(more), seed: 3);
        Tensor ids = randint(3, 60, [2, 80]);
        Tensor mask = (arange(80).unsqueeze(0) >= tensor(new long[] { 0, 3 }).unsqueeze(1)).to(ScalarType.Int64);
        Tensor expected = model.forward(ids, mask);
        using var cache = new DynamicCache();
        List<Tensor> logits = [];

        foreach (int length in new[] { 5, 1, 1, 60, 1, 12 })
        {
            int start = cache.Length;
            logits.Add(model.Forward(new DecoderInput
            {
                InputIds = ids.narrow(1, start, length), AttentionMask = mask.narrow(1, 0, start + length), Cache = cache,
            }).Logits);
        }

        Assert.Equal(80, cache.Length);
        TensorAssert.Within(expected[mask != 0], cat(logits, 1)[mask != 0], 1e-4, "logits");
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Rows_of_a_padded_batch_equal_the_rows_alone(string more)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(more), seed: 4);
        Tensor ids = randint(3, 60, [1, 7]);
        Tensor padding = zeros(1, 4, dtype: ScalarType.Int64);
        Tensor expected = model.forward(ids);

        Tensor right = model.forward(cat([ids, padding], 1), cat([ones_like(ids), padding], 1)).narrow(1, 0, 7);
        Tensor left = model.forward(cat([padding, ids], 1), cat([padding, ones_like(ids)], 1)).narrow(1, 4, 7);
        Tensor packed = model.forward(cat([ids, ids], 1), null, cat([arange(7), arange(7)]).unsqueeze(0));

        TensorAssert.Within(expected, right, 1e-4, "right-padded");
        TensorAssert.Within(expected, left, 1e-4, "left-padded");
        TensorAssert.Within(expected, packed.narrow(1, 0, 7), 1e-4, "the first of two packed texts");
        TensorAssert.Within(expected, packed.narrow(1, 7, 7), 1e-4, "the second of two packed texts");
    }

    [Fact]
    public void A_boolean_mask_of_four_dimensions_hides_what_is_false()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var eager = new CausalLanguageModel(ModelSamples.Config(), seed: 5, attention: AttentionImplementation.Eager);
        Tensor ids = randint(3, 60, [2, 6]);
        Tensor mask = ones(6, 6, dtype: ScalarType.Bool).tril().view(1, 1, 6, 6);

        Tensor expected = model.forward(ids);

        TensorAssert.Within(expected, model.forward(ids, mask), 1e-4, "sdpa");
        TensorAssert.Within(expected, eager.forward(ids, mask), 1e-4, "eager");
    }

    [Fact]
    public void Without_causality_a_token_sees_what_follows()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelSamples.Config(""", "is_causal": false"""), seed: 5);
        using var causal = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        Tensor ids = randint(3, 60, [1, 6]);

        Tensor everything = causal.forward(ids, zeros(1, 1, 6, 6));

        TensorAssert.Within(everything, model.forward(ids), 1e-4, "logits");
    }

    [Fact]
    public void Attention_weights_are_given_by_eager_only()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var sdpa = new CausalLanguageModel(ModelSamples.Config(), seed: 5);
        using var eager = new CausalLanguageModel(ModelSamples.Config(), seed: 5, attention: AttentionImplementation.Eager);
        var input = new DecoderInput { InputIds = randint(3, 60, [2, 6]), OutputAttentions = true };

        Assert.Throws<InvalidOperationException>(() => sdpa.Forward(input));
        CausalLanguageModelOutput output = eager.Forward(input);

        Assert.Equal(3, output.Decoder.Attentions.Count);
        TensorAssert.Within(ones(2, 6, 6), output.Decoder.Attentions[1].sum(-1), 1e-5, "sums of weights");
    }

    [Fact]
    public void Fresh_weights_follow_the_seed_and_the_configuration()
    {
        using var scope = NewDisposeScope();
        DecoderConfig config = ModelSamples.Config() with { HiddenSize = 96, VocabularySize = 300, InitializerRange = 0.05 };
        manual_seed(1);
        using var first = new CausalLanguageModel(config, seed: 7);
        manual_seed(2);
        using var second = new CausalLanguageModel(config, seed: 7);
        using var other = new CausalLanguageModel(config, seed: 8);
        using var rounded = new CausalLanguageModel(config, seed: 7, dtype: ScalarType.BFloat16);

        Tensor embedding = first.get_parameter("model.embed_tokens.weight")!;
        Assert.True(embedding.equal(second.get_parameter("model.embed_tokens.weight")!).all().item<bool>());
        Assert.True(embedding.bfloat16().equal(rounded.get_parameter("model.embed_tokens.weight")!).all().item<bool>());
        Assert.False(embedding.equal(other.get_parameter("model.embed_tokens.weight")!).all().item<bool>());
        Assert.Equal(0, TensorAssert.Largest(embedding[0]));
        Assert.InRange(embedding.narrow(0, 1, 299).std().item<float>(), 0.049, 0.051);
        Assert.InRange(first.get_parameter("lm_head.weight")!.std().item<float>(), 0.049, 0.051);
        Assert.Equal(0, TensorAssert.Largest(first.get_parameter("model.layers.0.self_attn.q_proj.bias")!));
        Assert.True((first.get_parameter("model.layers.0.input_layernorm.weight")! == 1).all().item<bool>());
    }

    [Fact]
    public void Dropout_of_attention_happens_in_training_only()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (AttentionImplementation attention in Enum.GetValues<AttentionImplementation>())
        {
            using var model = new CausalLanguageModel(ModelSamples.Config(""", "attention_dropout": 0.5"""), seed: 5, attention: attention);
            Tensor ids = randint(3, 60, [2, 9]);

            model.train();
            Assert.False(model.forward(ids).equal(model.forward(ids)).all().item<bool>());
            model.eval();
            Assert.True(model.forward(ids).equal(model.forward(ids)).all().item<bool>());
        }
    }

    [Fact]
    public void Weights_outlive_the_dispose_scope_that_a_model_was_made_in()
    {
        SequenceClassificationModel model;
        using (NewDisposeScope()) model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        using (model)
        using (NewDisposeScope())
            Assert.Equal([2L, 2L], model.forward(randint(3, 60, [2, 4])).shape);
    }
}
