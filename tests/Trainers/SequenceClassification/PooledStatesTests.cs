using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>A frozen decoder is run once per text.</summary>
public class PooledStatesTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private static readonly int[][] s_texts = [[97, 98], [99], [97, 98, 99, 97], [97, 98]];

    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Each_text_is_computed_once_and_gives_the_models_logits_and_gradients()
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen();
        var states = new PooledStates(model, padId: 256);
        states.Fill(s_texts, batchSize: 2, maxTokens: 100, () => { });
        Assert.Equal(3, states.Computed);
        model.train();
        Tensor found = states.Logits(s_texts), expected = Plain(model);
        Assert.True(found.allclose(expected, 1e-5, 1e-5));
        Tensor Gradient(Tensor logits)
        {
            logits.square().sum().backward();
            var head = model.named_parameters().Single(item => item.name == "score.weight").parameter;
            Tensor gradient = head.grad!.clone();
            head.grad = null;
            return gradient;
        }

        Assert.True(Gradient(found).allclose(Gradient(expected), 1e-4, 1e-4));
        Assert.Equal(3, states.Computed);
        Assert.True(model.training);
    }

    [Fact]
    public void What_does_not_fit_into_memory_is_computed_again_to_the_same()
    {
        using DisposeScope scope = NewDisposeScope();
        using SequenceClassificationModel model = Frozen();
        var states = new PooledStates(model, padId: 256, mostBytes: 1);
        states.Fill(s_texts, batchSize: 1, maxTokens: 100, () => { });
        Assert.Equal(1, states.Computed);
        Assert.True(states.Logits(s_texts).allclose(Plain(model), 1e-5, 1e-5));
        Assert.Equal(1 + 3, states.Computed);
    }

    [Fact]
    public void Only_a_model_whose_head_alone_is_trained_has_them()
    {
        using SequenceClassificationModel model = Frozen();
        Assert.True(PooledStates.Suit(model));
        model.Unfreeze("model.norm.*");
        Assert.False(PooledStates.Suit(model));
        TrainedWeights.HeadOnly.ApplyTo(model);
        model.EmbeddingNoise = 5;
        Assert.False(PooledStates.Suit(model));
    }

    [Fact]
    public void A_head_trained_on_them_is_the_head_trained_without()
    {
        IDataView data = Tickets.View(_ml, 64);
        float[][] Run(TrainedWeights trained) => _ml.TrainAndScore(folder.Options(options => (options.Trained, options.Epochs) = (trained, 3)), data, data);
        float[][] cached = Run(TrainedWeights.HeadOnly);

        // A bias of no effect: keys' biases shift all scores of attention alike; so nothing but the head learns, and nothing is cached.
        float[][] plain = Run(TrainedWeights.Matching("score.*", "model.layers.0.self_attn.k_proj.bias"));
        for (int row = 0; row < cached.Length; row++)
            for (int label = 0; label < Tickets.Labels; label++) Assert.Equal(plain[row][label], cached[row][label], 2e-2f);
    }

    private static SequenceClassificationModel Frozen()
    {
        SequenceClassificationModel model = TinyModel.Model(3);
        TrainedWeights.HeadOnly.ApplyTo(model);
        return model;
    }

    private static Tensor Plain(SequenceClassificationModel model)
    {
        using TokenBatch batch = TokenBatch.Create(s_texts, padId: 256);
        return model.ForwardPooled(batch.InputIds, batch.LastPositions);
    }
}
