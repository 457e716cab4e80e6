using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

/// <summary>Which weights a run changes, and by what.</summary>
public class TrainedWeightsTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Everything_is_trained_unless_something_else_is_asked_for() => Changes(TrainedWeights.All, _ => true);

    [Fact]
    public void The_head_can_be_trained_alone() => Changes(TrainedWeights.HeadOnly, name => name == "score.weight");

    [Fact]
    public void The_last_layers_can_be_trained_alone() =>
        Changes(TrainedWeights.LastLayers(1), name => name.StartsWith("model.layers.1.", StringComparison.Ordinal) || name is "model.norm.weight" or "score.weight");

    [Fact]
    public void Weights_can_be_chosen_by_name() =>
        Changes(TrainedWeights.Matching("*.mlp.*", "score.*"), name => name.Contains(".mlp.", StringComparison.Ordinal) || name == "score.weight");

    [Fact]
    public void What_does_not_exist_cannot_be_trained()
    {
        IDataView data = Tickets.View(_ml, 16);
        var none = Assert.Throws<ArgumentException>(() => _ml.Trainer(folder.Options(options => options.Trained = TrainedWeights.Matching("transformer.*"))).Fit(data));
        Assert.Contains("transformer.*", none.Message);
        var few = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Trainer(folder.Options(options => options.Trained = TrainedWeights.LastLayers(3))).Fit(data));
        Assert.Contains("LastLayers asks for 3 layers; the model has 2", few.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => TrainedWeights.LastLayers(0));
        Assert.Throws<ArgumentException>(() => TrainedWeights.Matching());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void An_adapter_is_trained_with_the_head_while_the_model_stays(bool rankStabilized, bool dora)
    {
        IDataView data = Tickets.View(_ml, 96);
        using SequenceClassificationModel before = SequenceClassificationModel.Load(folder.Path);
        using SequenceClassificationTransformer trained = _ml.Trainer(folder.Options(options =>
        {
            (options.Epochs, options.LearningRate) = (5, 1e-2);
            options.Adapter = new LoraOptions { Rank = 4, Alpha = 8, UseRankStabilized = rankStabilized, UseDora = dora };
        })).Fit(data);
        LoraAdapter adapter = Assert.Single(trained.Model.Adapters);
        Assert.Equal((4, rankStabilized, dora), (adapter.Options.Rank, adapter.Options.UseRankStabilized, adapter.Options.UseDora));
        Assert.Contains("score", adapter.Options.ModulesToSave!);
        Dictionary<string, float[]> expected = Values(before), found = Values(trained.Model);
        Assert.All(expected.Where(pair => pair.Key != "score.weight"), pair => Assert.Equal(pair.Value, found[pair.Key])); // the head is fresh: other labels
        Assert.InRange(Runs.Accuracy(Runs.Scores(trained, data), data), 0.7, 1);
        float[][] adapted = Runs.Scores(trained, data);
        using (trained.Model.Adapters.Disable()) Assert.NotEqual(adapted, Runs.Scores(trained, data));
    }

    [Fact]
    public void Layers_computed_twice_give_the_same_weights()
    {
        IDataView data = Tickets.View(_ml, 48);
        float[][] Run(bool checkpointed) => _ml.TrainAndScore(folder.Options(options => (options.GradientCheckpointing, options.LearningRate) = (checkpointed, 1e-3)), data, data);
        float[][] plain = Run(false), recomputed = Run(true);
        for (int row = 0; row < plain.Length; row++)
            for (int label = 0; label < Tickets.Labels; label++) Assert.Equal(plain[row][label], recomputed[row][label], 1e-4f);
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW, 1e-2)]
    [InlineData(OptimizerKind.AdamW8Bit, 1e-2)]
    [InlineData(OptimizerKind.Adafactor, 1e-2)]
    [InlineData(OptimizerKind.StochasticGradientDescent, 0.3)]
    [InlineData(OptimizerKind.Lion, 2e-3)]
    public void Every_optimizer_learns(OptimizerKind optimizer, double learningRate)
    {
        IDataView data = Tickets.View(_ml, 96);
        float[][] scores = _ml.TrainAndScore(folder.Options(options =>
            (options.Optimizer, options.LearningRate, options.Epochs, options.Momentum) = (optimizer, learningRate, 5, 0.9)), data, data);
        Assert.InRange(Runs.Accuracy(scores, data), 0.7, 1);
    }

    [Fact]
    public void The_result_can_be_the_average_of_the_steps()
    {
        IDataView data = Tickets.View(_ml, 16);
        float[] Head(int steps, double? decay, double learningRate = 5e-3)
        {
            using SequenceClassificationTransformer trained = _ml.Trainer(folder.Options(options =>
            {
                (options.Epochs, options.AverageDecay, options.Trained, options.LearningRate) = (steps, decay, TrainedWeights.HeadOnly, learningRate);
                (options.Schedule, options.WarmupRatio) = (LearningRateSchedule.Constant, 0);
            })).Fit(data);
            return Values(trained.Model)["score.weight"];
        }

        float[] first = Head(1, null, 1e-30), second = Head(1, null), third = Head(2, null), average = Head(2, 0.5);
        Assert.Equal(third, Head(2, 0));
        for (int i = 0; i < average.Length; i++) Assert.Equal((0.25 * first[i]) + (0.25 * second[i]) + (0.5 * third[i]), average[i], 1e-6);
    }

    [Fact]
    public void Validation_measures_the_average_and_training_goes_on_from_the_weights()
    {
        IDataView data = Tickets.View(_ml, 32);
        double[] Losses(IDataView? validation)
        {
            var recorder = new ProgressRecorder();
            using SequenceClassificationTransformer trained = _ml.Trainer(folder.Options(options =>
                (options.Epochs, options.AverageDecay, options.ValidationSet, options.Progress) = (3, 0.9, validation, recorder))).Fit(data);
            if (validation is not null)
                Assert.Equal(recorder.Validations.Min(report => report.Validation![ValidationMetric.LogLoss]), Runs.LogLoss(Runs.Scores(trained, data), data), 1e-4);
            return [.. recorder.Steps.Select(step => step.Loss)];
        }

        Assert.Equal(Losses(null), Losses(data));
    }

    [Fact]
    public void Noise_on_embeddings_changes_steps_but_not_scores()
    {
        IDataView data = Tickets.View(_ml, 32);
        double FirstLoss(double alpha, int seed)
        {
            var recorder = new ProgressRecorder();
            using SequenceClassificationTransformer trained = _ml.Trainer(folder.Options(options =>
                (options.NoiseAlpha, options.Progress, options.Seed, options.ValidationSet) = (alpha, recorder, seed, data))).Fit(data);
            Assert.Equal(recorder.Validations.Min(report => report.Validation![ValidationMetric.LogLoss]), Runs.LogLoss(Runs.Scores(trained, data), data), 1e-4);
            return recorder.Steps.First().Loss;
        }

        Assert.Equal(FirstLoss(50, 1), FirstLoss(50, 1));
        Assert.NotEqual(FirstLoss(0, 1), FirstLoss(50, 1));
    }

    [Fact]
    public void The_threads_asked_for_are_those_of_the_run_alone()
    {
        int before = get_num_threads(), during = 0;
        IDataView data = Tickets.View(_ml, 16);
        var recorder = new ProgressRecorder(_ => during = get_num_threads());
        _ml.Trainer(folder.Options(options => (options.Threads, options.Progress) = (before + 1, recorder))).Fit(data).Dispose();
        Assert.Equal((before + 1, before), (during, get_num_threads()));
    }

    private static Dictionary<string, float[]> Values(SequenceClassificationModel model) =>
        model.BaseParameters().ToDictionary(pair => pair.Name, pair => pair.Parameter.to(ScalarType.Float32).data<float>().ToArray());

    private void Changes(TrainedWeights trained, Func<string, bool> expected)
    {
        using SequenceClassificationModel before = SequenceClassificationModel.Load(folder.Path);
        using SequenceClassificationTransformer after = _ml.Trainer(folder.Options(options => options.Trained = trained)).Fit(Tickets.View(_ml, 32));
        Dictionary<string, float[]> old = Values(before), now = Values(after.Model);
        Assert.All(old, pair => Assert.True(pair.Value.AsSpan().SequenceEqual(now[pair.Key]) != expected(pair.Key), $"{pair.Key} {(expected(pair.Key) ? "did not change" : "changed")}"));
        Assert.All(after.Model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }
}
