using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Models;

namespace MLComponents.Trainers.Tests;

/// <summary>Whole runs whose lowest layers are frozen, with every head: cached or not, they learn the same.</summary>
public sealed class FrozenRunTests(TinyFolder folder) : IClassFixture<TinyFolder>, IDisposable
{
    private static readonly TrainedWeights s_top = TrainedWeights.Matching("*.layers.1.*", "*norm.weight");

    private readonly MLContext _ml = new(seed: 1);
    private readonly string _states = Directory.CreateTempSubdirectory("mlcomponents-prefix-").FullName;

    public static IEnumerable<TheoryDataRow<string>> Heads() => EveryHead.Rows();

    [Theory]
    [MemberData(nameof(Heads))]
    public void A_cached_run_is_the_uncached_run_whatever_the_head(string head)
    {
        ProgressRecorder Run(Action<FineTuningOptions> change) => Fit(head, options =>
        {
            (options.Trained, options.Epochs, options.Precision, options.LearningRate, options.ValidationFraction, options.BatchSize) = (s_top, 2, Precision.Float32, 2e-3, 0.25, 8);
            change(options);
        });
        ProgressRecorder plain = Run(options => options.PrefixCacheBytes = 0), cached = Run(_ => { });
        Assert.Equal(plain.Steps.Count(), cached.Steps.Count());
        foreach ((TrainingProgress expected, TrainingProgress found) in plain.Steps.Zip(cached.Steps)) Assert.Equal(expected.Loss, found.Loss, 1e-5 * Math.Max(1, expected.Loss));
        foreach ((TrainingProgress expected, TrainingProgress found) in plain.Validations.Zip(cached.Validations))
        {
            foreach (ValidationMetric loss in new[] { ValidationMetric.LogLoss, ValidationMetric.MeanSquaredError }.Where(metric => expected.Validation!.Metrics.ContainsKey(metric.Name)))
                Assert.Equal(expected.Validation![loss], found.Validation![loss], 1e-5 * Math.Max(1, expected.Validation[loss]));
        }

        // Wherever the states are, bits are the same.
        Assert.Equal(Losses(cached), Losses(Run(options => (options.PrefixCacheBytes, options.PrefixCacheFolder) = (0, _states))));
        Assert.Equal(Losses(cached), Losses(Run(options => (options.PrefixCacheBytes, options.PrefixCacheFolder) = (20_000, _states))));
        Assert.Empty(Directory.GetFiles(_states));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_are_read_once_for_training_and_validation_together(bool headOnly)
    {
        var log = new LogRecorder(_ml);
        int distinct = Tickets.Rows(64).Select(row => row.Text).Distinct().Count();
        Fit("one label", options => (options.Trained, options.Epochs, options.ValidationSet) = (headOnly ? TrainedWeights.HeadOnly : TrainedWeights.LastLayers(1), 3, Tickets.View(_ml, 64)));
        Assert.Contains(log.Of(ChannelMessageKind.Info), message => message.Contains($"{distinct} texts were read once"));
        Assert.Contains(log.Of(ChannelMessageKind.Info), message => message.Contains($"Running the {(headOnly ? 2 : 1)} lowest layers"));
    }

    [Fact]
    public void Nothing_is_kept_where_nothing_is_frozen_or_nothing_is_to_be_kept()
    {
        var log = new LogRecorder(_ml);
        Fit("one label", options => options.Epochs = 1);
        Fit("one label", options => (options.Epochs, options.Trained, options.PrefixCacheBytes) = (1, TrainedWeights.HeadOnly, 0));
        Fit("one label", options => (options.Epochs, options.Trained, options.NoiseAlpha) = (1, TrainedWeights.HeadOnly, 5));
        Assert.DoesNotContain(log.Of(ChannelMessageKind.Info), message => message.Contains("lowest layers"));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_warns_and_changes_nothing_but_rounding()
    {
        string file = Path.Combine(_states, "file");
        File.WriteAllText(file, "");
        var log = new LogRecorder(_ml);
        ProgressRecorder Run(string? states, long memory) => Fit("one label", options =>
            (options.Trained, options.Epochs, options.Precision, options.PrefixCacheFolder, options.PrefixCacheBytes) = (TrainedWeights.LastLayers(1), 2, Precision.Float32, states, memory));
        double[] expected = Losses(Run(null, 1 << 30)), found = Losses(Run(file, 0));
        for (int step = 0; step < expected.Length; step++) Assert.Equal(expected[step], found[step], 1e-5 * Math.Max(1, expected[step]));
        Assert.Single(log.Of(ChannelMessageKind.Warning), message => message.Contains("could not be written in PrefixCacheFolder"));
        Assert.Contains(log.Of(ChannelMessageKind.Info), message => message.Contains("The others are computed anew in every epoch: raise PrefixCacheBytes, or name a PrefixCacheFolder"));
    }

    [Fact]
    public void An_adapter_in_the_upper_layers_is_trained_above_a_cache()
    {
        var log = new LogRecorder(_ml);
        double[] Run(long memory) => Losses(Fit("one label", options =>
            (options.Adapter, options.Epochs, options.Precision, options.PrefixCacheBytes) = (new LoraOptions { LayersToTransform = [1] }, 2, Precision.Float32, memory)));
        double[] expected = Run(0), found = Run(1 << 30);
        for (int step = 0; step < expected.Length; step++) Assert.Equal(expected[step], found[step], 1e-5 * Math.Max(1, expected[step]));
        Assert.Single(log.Of(ChannelMessageKind.Info), message => message.Contains("Running the 1 lowest layers"));
    }

    public void Dispose() => Directory.Delete(_states, recursive: true);

    private static double[] Losses(ProgressRecorder recorder) => [.. recorder.Steps.Select(step => step.Loss)];

    private ProgressRecorder Fit(string head, Action<FineTuningOptions> change) => EveryHead.Fit(head, _ml, folder, change);
}
