using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

/// <summary>What is trained, and how.</summary>
public class TrainingSettingsTests
{
    [Fact]
    public void Parameters_are_frozen_and_thawed_by_patterns_of_their_names()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        long all = model.ParameterCount;
        Assert.Equal(all, model.TrainableParameterCount);

        Assert.Equal(model.parameters().Count(), model.Freeze("*"));
        Assert.Equal(0, model.TrainableParameterCount);
        Assert.Equal(3, model.Unfreeze("score.*", "model.layers.2.*_layernorm.weight", "model.layers.2.input_layernorm.weight"));

        Assert.Equal(
            ["model.layers.2.input_layernorm.weight", "model.layers.2.post_attention_layernorm.weight", "score.weight"],
            model.named_parameters().Where(pair => pair.parameter.requires_grad).Select(pair => pair.name).Order());
        Assert.Equal((2 * 24) + (2 * 24), model.TrainableParameterCount);
        model.Loss(model.forward(randint(3, 60, [1, 4])), tensor(new long[] { 1 })).backward();
        Assert.All(model.named_parameters(), pair => Assert.Equal(pair.parameter.requires_grad, pair.parameter.grad is not null));
    }

    [Fact]
    public void A_pattern_that_matches_nothing_is_refused_and_changes_nothing()
    {
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);

        var exception = Assert.Throws<ArgumentException>(() => model.Freeze("score.*", "transformer.h.*"));

        Assert.Contains("\"transformer.h.*\"", exception.Message);
        Assert.Contains("model.embed_tokens.weight", exception.Message);
        Assert.Equal(model.ParameterCount, model.TrainableParameterCount);
    }

    [Theory]
    [InlineData(AttentionImplementation.ScaledDotProduct, ScalarType.Float32)]
    [InlineData(AttentionImplementation.Eager, ScalarType.Float32)]
    [InlineData(AttentionImplementation.ScaledDotProduct, ScalarType.BFloat16)]
    public void Checkpointing_works_on_the_fast_path_with_frozen_embeddings_and_layers(AttentionImplementation attention, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1, dtype, attention: attention);
        model.train();
        model.Freeze("model.embed_tokens.*", "model.layers.0.*");
        Tensor ids = randint(3, 60, [3, 8]), last = full([3], 7, ScalarType.Int64), labels = tensor(new long[] { 0, 1, 1 });

        Dictionary<string, Tensor> expected = Gradients();
        model.GradientCheckpointing = true;
        Dictionary<string, Tensor> actual = Gradients();

        Assert.DoesNotContain(expected.Keys, name => name.Contains("layers.0."));
        Assert.Equal(expected.Keys, actual.Keys);
        foreach (var (name, gradient) in expected) Assert.True(gradient.equal(actual[name]).all().item<bool>(), name);

        Dictionary<string, Tensor> Gradients()
        {
            model.Loss(model.ForwardPooled(ids, last), labels).backward();
            var gradients = model.named_parameters().Where(pair => pair.parameter.grad is not null).ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
            foreach (var parameter in model.parameters()) parameter.grad = null;
            return gradients;
        }
    }

    [Fact]
    public void Checkpointing_repeats_what_dropout_drew_and_leaves_the_generator_where_it_was()
    {
        using var scope = NewDisposeScope();
        DecoderConfig config = DecoderConfig.Parse(
            """
            {"model_type": "phi", "vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 3,
             "resid_pdrop": 0.3, "embd_pdrop": 0.2, "attention_dropout": 0.2, "initializer_range": 0.3}
            """u8);
        using var model = new CausalLanguageModel(config, seed: 1);
        model.train();
        Tensor ids = randint(3, 60, [2, 9]);

        var (expected, expectedNext) = Gradients();
        model.GradientCheckpointing = true;
        var (actual, actualNext) = Gradients();

        foreach (var (name, gradient) in expected) TensorAssert.Within(gradient, actual[name], 1e-6 * Math.Max(1, TensorAssert.Largest(gradient)), name);
        Assert.Equal(expectedNext, actualNext);

        (Dictionary<string, Tensor> Gradients, float Next) Gradients()
        {
            random.manual_seed(7);
            CausalLanguageModel.Loss(model.forward(ids), ids).backward();
            var gradients = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
            foreach (var parameter in model.parameters()) parameter.grad = null;
            return (gradients, rand(1).item<float>());
        }
    }

    [Theory]
    [InlineData("phi", "\"embd_pdrop\": 0.5")]
    [InlineData("phi", "\"resid_pdrop\": 0.5")]
    [InlineData("phi3", "\"resid_pdrop\": 0.5")]
    [InlineData("persimmon", "\"hidden_dropout\": 0.5")]
    [InlineData("gpt_neox", "\"hidden_dropout\": 0.5")]
    [InlineData("llama", "\"attention_dropout\": 0.5")]
    public void Every_dropout_happens_in_training_only(string family, string dropout)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        DecoderConfig config = DecoderConfig.Parse(System.Text.Encoding.UTF8.GetBytes(
            $$"""
            {"model_type": "{{family}}", "vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 3,
             "initializer_range": 0.3, {{dropout}} }
            """));
        using var model = new CausalLanguageModel(config, seed: 1);
        Tensor ids = randint(3, 60, [2, 9]);

        model.train();
        Assert.False(model.forward(ids).equal(model.forward(ids)).all().item<bool>());
        model.eval();
        Assert.True(model.forward(ids).equal(model.forward(ids)).all().item<bool>());
    }
}
