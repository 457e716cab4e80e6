using static TorchSharp.torch;

namespace MLComponents.Models.Tests;

public class SequenceClassificationModelTests
{
    [Theory]
    [InlineData("", AttentionImplementation.ScaledDotProduct)]
    [InlineData("", AttentionImplementation.Eager)]
    [InlineData(""", "num_key_value_heads": 6""", AttentionImplementation.ScaledDotProduct)]
    [InlineData(""", "num_key_value_heads": 1, "head_dim": 8""", AttentionImplementation.ScaledDotProduct)]
    [InlineData(""", "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 0""", AttentionImplementation.ScaledDotProduct)]
    [InlineData(""", "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 16}""", AttentionImplementation.ScaledDotProduct)]
    public void The_fast_path_gives_the_logits_and_gradients_of_the_full_one(string more, AttentionImplementation attention)
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(more), seed: 1, attention: attention);
        Tensor ids = RightPadded([7, 1, 10, 4]);
        Tensor last = model.PooledPositions(ids);
        Tensor labels = tensor(new long[] { 0, 1, 1, 0 });

        Tensor full = model.forward(ids, (ids != 0).to(ScalarType.Int64));
        Dictionary<string, Tensor> expected = Gradients(model, model.Loss(full, labels));
        Tensor fast = model.ForwardPooled(ids, last);
        Dictionary<string, Tensor> actual = Gradients(model, model.Loss(fast, labels));

        Assert.Equal([6L, 0L, 9L, 3L], last.data<long>().ToArray());
        TensorAssert.Within(full, fast, 1e-5 * Math.Max(1, TensorAssert.Largest(full)), "logits");
        foreach (var (name, gradient) in expected) TensorAssert.Within(gradient, actual[name], (1e-4 * TensorAssert.Largest(gradient)) + 1e-7, name);
    }

    [Fact]
    public void What_the_padding_is_does_not_matter_to_the_fast_path()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        Tensor ids = RightPadded([7, 3]);
        Tensor last = tensor(new long[] { 6, 2 });

        Tensor padded = model.ForwardPooled(ids, last);
        Tensor others = model.ForwardPooled(ids.where(ids != 0, full_like(ids, 9)), last);
        Tensor alone = model.ForwardPooled(ids[1].unsqueeze(0).narrow(1, 0, 3), tensor(new long[] { 2 }));

        TensorAssert.Within(padded, others, 1e-6, "other padding");
        TensorAssert.Within(padded[1].unsqueeze(0), alone, 1e-5, "the row alone");
    }

    [Fact]
    public void In_bfloat16_the_fast_path_is_as_close_to_float32_as_the_full_one()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var precise = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1, dtype: ScalarType.BFloat16);
        Tensor ids = randint(3, 60, [64, 12]);
        Tensor last = full([64], 11, ScalarType.Int64);

        Tensor expected = precise.forward(ids);
        double fullError = (model.forward(ids).to(ScalarType.Float32) - expected).square().mean().item<float>();
        double fastError = (model.ForwardPooled(ids, last).to(ScalarType.Float32) - expected).square().mean().item<float>();

        Assert.InRange(fastError, 0, 2 * fullError);
    }

    [Fact]
    public void A_model_that_scored_under_inference_mode_can_be_trained()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        Tensor ids = RightPadded([7, 3]);
        using (inference_mode()) model.forward(ids);

        model.Loss(model.ForwardPooled(ids, tensor(new long[] { 6, 2 })), tensor(new long[] { 0, 1 })).backward();

        Assert.All(model.parameters(), parameter => Assert.NotNull(parameter.grad));
    }

    [Fact]
    public void Several_rows_without_padding_id_are_refused_and_one_is_scored_at_its_end()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config() with { PadTokenId = null }, seed: 1);
        Tensor ids = randint(3, 60, [2, 5]);

        var exception = Assert.Throws<InvalidOperationException>(() => model.forward(ids));
        Tensor one = model.forward(ids.narrow(0, 0, 1));

        Assert.Contains("pad_token_id", exception.Message);
        TensorAssert.Within(model.ForwardPooled(ids, full([2], 4, ScalarType.Int64)).narrow(0, 0, 1), one, 1e-5, "logits");
    }

    [Fact]
    public void Class_weights_weigh_the_mean()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        Tensor logits = tensor(new[,] { { 1f, 0f }, { 0f, 2f }, { 3f, 1f } });
        Tensor labels = tensor(new long[] { 0, 1, 1 });

        float loss = model.Loss(logits, labels, tensor(new[] { 1f, 4f })).item<float>();

        double[] each = [Math.Log(1 + Math.Exp(-1)), Math.Log(1 + Math.Exp(-2)), Math.Log(1 + Math.Exp(2))];
        Assert.Equal((each[0] + (4 * each[1]) + (4 * each[2])) / 9, loss, 1e-5);
    }

    [Fact]
    public void Wrong_shapes_are_refused()
    {
        using var scope = NewDisposeScope();
        using var model = new SequenceClassificationModel(ModelSamples.Config(), seed: 1);
        Tensor ids = RightPadded([4, 5]);

        Assert.Throws<ArgumentException>(() => model.ForwardPooled(ids, zeros(3, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => model.forward(ids, ones(2, 4, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => model.forward(ids, null, ones(3, 5, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => model.Forward(new DecoderInput()));
        using var bidirectional = new SequenceClassificationModel(ModelSamples.Config(""", "is_causal": false"""), seed: 1);
        Assert.Throws<InvalidOperationException>(() => bidirectional.ForwardPooled(ids, zeros(2, dtype: ScalarType.Int64)));
    }

    private static Tensor RightPadded(int[] lengths)
    {
        manual_seed(5);
        Tensor ids = randint(3, 60, [lengths.Length, lengths.Max()]);
        for (int row = 0; row < lengths.Length; row++) ids[row].narrow(0, lengths[row], lengths.Max() - lengths[row]).zero_();
        return ids;
    }

    private static Dictionary<string, Tensor> Gradients(SequenceClassificationModel model, Tensor loss)
    {
        model.zero_grad();
        loss.backward();
        return model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
    }
}
