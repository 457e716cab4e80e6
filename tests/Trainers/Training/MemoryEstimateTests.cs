using Microsoft.ML;
using MLComponents.Models;

namespace MLComponents.Trainers.Tests;

public class MemoryEstimateTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private static MemoryEstimate Of(Action<SequenceClassificationOptions> change, TorchSharp.torch.ScalarType dtype = TorchSharp.torch.ScalarType.BFloat16)
    {
        using SequenceClassificationModel model = TinyModel.Model(3, dtype);
        var options = new SequenceClassificationOptions();
        change(options);
        using var mode = new TrainingMode(model, options);
        return MemoryEstimate.Of(model, options);
    }

    [Fact]
    public void It_counts_gradients_optimizer_and_copies_exactly()
    {
        using SequenceClassificationModel model = TinyModel.Model(3);
        long weights = model.ParameterCount, head = 3 * 32, layers = weights - (260 * 32); // of the embedding, rows that are read have a gradient alone
        Assert.Equal((2 * layers, 12 * weights, 0), Parts(Of(_ => { })));
        Assert.Equal((4 * layers, 8 * weights, 0), Parts(Of(_ => { }, TorchSharp.torch.ScalarType.Float32)));
        Assert.Equal(2 * weights, Of(options => options.Optimizer = OptimizerKind.Adafactor).Gradients);
        Assert.Equal((2 * layers, 8 * weights, 2 * weights), Parts(Of(options => (options.WeightUpdate, options.ValidationFraction) = (WeightUpdate.StochasticRounding, 0.1))));
        Assert.Equal((2 * layers, 4 * weights, 6 * weights), Parts(Of(options => (options.Optimizer, options.WeightUpdate, options.AverageDecay) = (OptimizerKind.Lion, WeightUpdate.StochasticRounding, 0.9))));
        Assert.Equal((2 * head, 12 * head, 0), Parts(Of(options => options.Trained = TrainedWeights.HeadOnly)));
        Assert.Equal((2 * layers, 0, 0), Parts(Of(options => (options.Optimizer, options.WeightUpdate) = (OptimizerKind.StochasticGradientDescent, WeightUpdate.StochasticRounding))));

        static (long, long, long) Parts(MemoryEstimate estimate) => (estimate.Gradients, estimate.Optimizer, estimate.Copies);
    }

    [Fact]
    public void Frozen_layers_and_layers_computed_twice_keep_less()
    {
        long all = Of(_ => { }).ActivationsPerToken, last = Of(options => options.Trained = TrainedWeights.LastLayers(1)).ActivationsPerToken;
        Assert.Equal(all, 2 * last);
        Assert.InRange(Of(options => options.GradientCheckpointing = true).ActivationsPerToken, last, all - 1);
        Assert.Equal(2 * all, Of(_ => { }, TorchSharp.torch.ScalarType.Float32).ActivationsPerToken);
        Assert.Equal(all, Of(options => options.Adapter = new LoraOptions()).ActivationsPerToken);
    }

    [Fact]
    public void Where_memory_is_short_batches_are_split_until_nothing_helps()
    {
        var estimate = new MemoryEstimate(Gradients: 1000, Optimizer: 500, Copies: 500, ActivationsPerToken: 10);
        Assert.Equal(4096, estimate.TokensWithin(4096, 2000 + 40960));
        Assert.Equal(2048, estimate.TokensWithin(4096, 2000 + 40959));
        Assert.Equal(64, estimate.TokensWithin(4096, 2000 + 640));
        string message = Assert.Throws<InsufficientMemoryException>(() => estimate.TokensWithin(4096, 2000 + 639)).Message;
        Assert.All(new[] { "for gradients", "for the optimizer", "are free", "Adapter", "Adafactor", "StochasticRounding", "GradientCheckpointing" }, word => Assert.Contains(word, message));
        Assert.Equal(("1.5 GiB", "2.0 MiB"), (MemoryEstimate.Size(3L << 29), MemoryEstimate.Size(2 << 20)));
    }

    [Fact]
    public void States_of_frozen_layers_take_what_all_else_leaves()
    {
        MemoryEstimate estimate = new MemoryEstimate(Gradients: 1000, Optimizer: 500, Copies: 500, ActivationsPerToken: 10) with { Prefix = 5000 };
        Assert.Equal(5000, estimate.PrefixWithin(100, 8000));
        Assert.Equal(4999, estimate.PrefixWithin(100, 7999));
        Assert.Equal(0, estimate.PrefixWithin(100, 2500));
        using SequenceClassificationModel model = TinyModel.Model(3, TorchSharp.torch.ScalarType.BFloat16);
        var texts = new TextBatches(model, 256, packs: true, arePooled: true);
        TrainedWeights.LastLayers(1).ApplyTo(model);
        Assert.Equal(10 * 64 * 32 * 2, FrozenPrefix.BytesFor(texts, 10, 64));
        TrainedWeights.HeadOnly.ApplyTo(model);
        Assert.Equal(10 * 32 * 2, FrozenPrefix.BytesFor(texts, 10, 64));
    }

    [Fact]
    public void The_log_says_what_training_will_take()
    {
        Assert.InRange(MemoryEstimate.Available(), 1, long.MaxValue);
        var ml = new MLContext(seed: 1);
        var log = new LogRecorder(ml);
        ml.Trainer(folder.Options(options => options.Epochs = 1)).Fit(Tickets.View(ml, 16)).Dispose();
        Assert.Contains(log.Of(Microsoft.ML.Runtime.ChannelMessageKind.Info), message => message.Contains("Training will take about") && message.Contains("are free"));
    }
}
