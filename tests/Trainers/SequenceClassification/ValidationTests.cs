using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class ValidationTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly ProgressRecorder _progress = new();

    /// <summary>A learning rate that is the same however many epochs are planned.</summary>
    private SequenceClassificationOptions Constant(Action<SequenceClassificationOptions> change) => folder.Options(options =>
    {
        (options.Schedule, options.WarmupRatio, options.LearningRate, options.Progress) = (LearningRateSchedule.Constant, 0, 1e-2, _progress);
        change(options);
    });

    [Fact]
    public void The_weights_of_the_best_epoch_are_kept()
    {
        IDataView training = Tickets.View(_ml, 64), contradicting = Runs.Contradicting(_ml, 64);
        using SequenceClassificationTransformer kept = _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet) = (3, contradicting))).Fit(training);
        TrainingProgress[] validations = [.. _progress.Validations];
        Assert.Equal([true, false, false], validations.Select(progress => progress.Validation!.IsBest));
        Assert.True(validations[0].Validation![ValidationMetric.LogLoss] < validations[2].Validation![ValidationMetric.LogLoss]);
        float[][] scores = Runs.Scores(kept, contradicting);
        Assert.Equal(validations[0].Validation![ValidationMetric.LogLoss], Runs.LogLoss(scores, contradicting), 1e-4);
        Assert.Equal(validations[0].Validation![ValidationMetric.MicroAccuracy], Runs.Accuracy(scores, contradicting), 1e-9);
        Assert.Equal(_ml.TrainAndScore(Constant(options => options.Epochs = 1), training, contradicting), scores);
    }

    [Fact]
    public void The_last_weights_are_kept_when_they_are_the_best()
    {
        IDataView data = Tickets.View(_ml, 64);
        using SequenceClassificationTransformer transformer = _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet, options.LearningRate) = (2, data, 2e-3))).Fit(data);
        Assert.Equal([true, true], _progress.Validations.Select(progress => progress.Validation!.IsBest));
        Assert.Equal(_progress.All[^1].Validation![ValidationMetric.LogLoss], Runs.LogLoss(Runs.Scores(transformer, data), data), 1e-4);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(null, 4)]
    public void Training_stops_when_nothing_improves_any_more(int? patience, int epochs)
    {
        var log = new LogRecorder(_ml);
        _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet, options.EarlyStoppingPatience) = (4, Runs.Contradicting(_ml, 32), patience))).Fit(Tickets.View(_ml, 32)).Dispose();
        Assert.Equal(epochs, _progress.Validations.Count());
        Assert.Equal(epochs * 2, _progress.Steps.Count());
        Assert.Equal(epochs < 4, log.Of(ChannelMessageKind.Info).Any(message => message.Contains("Stopped early: LogLoss has not improved")));
    }

    [Theory]
    [InlineData(nameof(ValidationMetric.LogLoss))]
    [InlineData(nameof(ValidationMetric.MicroAccuracy))]
    [InlineData(nameof(ValidationMetric.MacroAccuracy))]
    public void The_metric_asked_for_chooses_the_epoch(string name)
    {
        ValidationMetric metric = new SequenceClassificationOptions().Metrics.Single(known => known.Name == name);
        IDataView data = Tickets.View(_ml, 48);
        _ml.Trainer(Constant(options => (options.Epochs, options.ValidationFraction, options.ValidationMetric) = (3, 0.4, metric))).Fit(data).Dispose();
        double best = double.NegativeInfinity;
        foreach (ValidationResult result in _progress.Validations.Select(progress => progress.Validation!))
        {
            double merit = name == nameof(ValidationMetric.LogLoss) ? -result[metric] : result[metric];
            Assert.Equal(merit > best, result.IsBest);
            best = Math.Max(best, merit);
            Assert.InRange(result[ValidationMetric.MicroAccuracy], 0, 1);
            Assert.InRange(result[ValidationMetric.MacroAccuracy], 0, 1);
        }
    }

    [Fact]
    public void Steps_between_validations_can_be_chosen()
    {
        IDataView data = Tickets.View(_ml, 64);
        _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet, options.ValidationSteps) = (3, data, 5))).Fit(data).Dispose();
        Assert.Equal([5, 10, 12], _progress.Validations.Select(report => report.Step));
        Assert.Equal([2, 3, 3], _progress.Validations.Select(report => report.Epoch));
    }

    [Fact]
    public void Training_stops_within_an_epoch_when_nothing_improves_any_more()
    {
        _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet, options.EarlyStoppingPatience, options.ValidationSteps) = (4, Runs.Contradicting(_ml, 32), 2, 1))).Fit(Tickets.View(_ml, 64)).Dispose();
        bool[] best = [.. _progress.Validations.Select(report => report.Validation!.IsBest)];
        Assert.Equal([false, false], best.TakeLast(2));
        Assert.True(_progress.Steps.Count() < 16);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_metric_of_ones_own_chooses_the_weights(bool higherIsBetter)
    {
        IDataView data = Tickets.View(_ml, 48);
        var metric = new ValidationMetric("Reduction", scored => _ml.MulticlassClassification.Evaluate(scored).LogLossReduction, higherIsBetter);
        using SequenceClassificationTransformer kept = _ml.Trainer(Constant(options => (options.Epochs, options.ValidationSet, options.ValidationMetric) = (3, data, metric))).Fit(data);
        double[] values = [.. _progress.Validations.Select(report => report.Validation![metric])];
        Assert.Equal(3, values.Distinct().Count());
        Assert.Equal(higherIsBetter ? values.Max() : values.Min(), _ml.MulticlassClassification.Evaluate(kept.Transform(data)).LogLossReduction, 1e-6);
        Assert.All(_progress.Validations, report => Assert.Equal(4, report.Validation!.Metrics.Count));
        Assert.Throws<KeyNotFoundException>(() => _progress.Validations.First().Validation![new ValidationMetric("Other", _ => 0)]);
    }

    [Fact]
    public void A_fraction_is_taken_off_the_training_rows()
    {
        IDataView data = Tickets.View(_ml, 100);
        (LabeledTexts rest, LabeledTexts part) = new LabeledTexts(data, "Text", null, "Label", binary: false).Split(0.25, seed: 7);
        var log = new LogRecorder(_ml);
        _ml.Trainer(Constant(options => (options.Epochs, options.ValidationFraction, options.Seed, options.BatchSize) = (1, 0.25, 7, 1))).Fit(data).Dispose();
        Assert.Equal(rest.ReadLabels().Count(), _progress.Steps.Count());
        Assert.Contains(log.Of(ChannelMessageKind.Info), message => message.Contains($"Training on {rest.ReadLabels().Count()} rows of 3 labels"));
        Assert.InRange(part.ReadLabels().Count(), 10, 40);
    }

    [Fact]
    public void Metrics_are_those_of_the_rows()
    {
        // One token per letter, one logit per letter: the rightmost label of the largest count wins.
        IDataView data = Tickets.View(_ml, 60);
        var scorer = new CountingScorer(3);
        IEnumerable<ClassifiedText> rows = SequenceClassificationTask.Encode(new LabeledTexts(data, "Text", null, "Label", binary: false), scorer).Select(encoded => encoded.Row);
        var result = new ValidationResult(new ClassificationMetrics(scorer.OutputCount, scorer.Forward, batchSize: 8, maxTokens: 200).Measure(rows, () => { }), IsBest: true);
        using var transformer = Tickets.Multiclass(_ml, new CountingScorer(3));
        var metrics = _ml.MulticlassClassification.Evaluate(transformer.Transform(data));
        Assert.Equal(metrics.LogLoss, result[ValidationMetric.LogLoss], 1e-5);
        Assert.Equal(metrics.MicroAccuracy, result[ValidationMetric.MicroAccuracy], 1e-9);
        Assert.Equal(metrics.MacroAccuracy, result[ValidationMetric.MacroAccuracy], 1e-9);
        Assert.All(scorer.Forwards, lengths => Assert.True(lengths.Length <= 8 && (lengths.Length == 1 || lengths.Length * lengths.Max() <= 200)));
    }
}
