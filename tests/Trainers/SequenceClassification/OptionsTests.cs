using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class OptionsTests
{
    private static readonly Dictionary<string, (Action<SequenceClassificationOptions> Change, string Expected)> s_outOfRange = new()
    {
        ["Epochs is 0"] = (options => options.Epochs = 0, "at least 1"),
        ["BatchSize is 0"] = (options => options.BatchSize = 0, "at least 1"),
        ["TokensPerUpdate is 0"] = (options => options.TokensPerUpdate = 0, "at least 1, or null"),
        ["MaxTokensPerBatch is -1"] = (options => options.MaxTokensPerBatch = -1, "at least 1"),
        ["PrefixCacheBytes is -1"] = (options => options.PrefixCacheBytes = -1, "at least 0"),
        ["PrefixCacheFolder is ''"] = (options => options.PrefixCacheFolder = "", "a path, or null"),
        ["MaxLength is 0"] = (options => options.MaxLength = 0, "at least 1, or null"),
        ["LearningRate is 0"] = (options => options.LearningRate = 0, "above 0"),
        ["LearningRate is NaN"] = (options => options.LearningRate = double.NaN, "above 0"),
        [$"LearningRate is {double.PositiveInfinity}"] = (options => options.LearningRate = double.PositiveInfinity, "above 0"),
        [$"WarmupRatio is {1.5}"] = (options => options.WarmupRatio = 1.5, "0 to 1"),
        ["WarmupRatio is NaN"] = (options => options.WarmupRatio = double.NaN, "0 to 1"),
        [$"WeightDecay is {-0.5}"] = (options => options.WeightDecay = -0.5, "at least 0"),
        ["WarmupSteps is -1"] = (options => options.WarmupSteps = -1, "at least 0, or null"),
        ["ScheduleCycles is 0"] = (options => options.ScheduleCycles = 0, "at least 1"),
        ["PolynomialPower is 0"] = (options => options.PolynomialPower = 0, "above 0"),
        [$"FinalLearningRate is {-0.5}"] = (options => options.FinalLearningRate = -0.5, "at least 0"),
        [$"FinalLearningRate is {0.25}"] = (options => (options.FinalLearningRate, options.Schedule) = (0.25, LearningRateSchedule.Polynomial), "less than the learning rate"),
        ["LayerwiseDecay is 0"] = (options => options.LayerwiseDecay = 0, "above 0 to 1"),
        ["Optimizer is 9"] = (options => options.Optimizer = (OptimizerKind)9, "AdamW8Bit"),
        ["Beta1 is 1"] = (options => options.Beta1 = 1, "0 to below 1"),
        ["Beta2 is NaN"] = (options => options.Beta2 = double.NaN, "0 to below 1, or null"),
        ["Epsilon is 0"] = (options => options.Epsilon = 0, "above 0"),
        ["Momentum is 1"] = (options => options.Momentum = 1, "0 to below 1"),
        ["AverageDecay is 1"] = (options => options.AverageDecay = 1, "0 to below 1, or null"),
        ["NoiseAlpha is -1"] = (options => options.NoiseAlpha = -1, "at least 0"),
        ["Threads is 0"] = (options => options.Threads = 0, "at least 1, or null"),
        ["LabelSmoothing is 1"] = (options => options.LabelSmoothing = 1, "0 to below 1"),
        ["FocalGamma is NaN"] = (options => options.FocalGamma = double.NaN, "at least 0"),
        ["WeightDecay is NaN"] = (options => options.WeightDecay = double.NaN, "at least 0"),
        ["MaxGradientNorm is 0"] = (options => options.MaxGradientNorm = 0, "above 0"),
        ["MaxGradientNorm is NaN"] = (options => options.MaxGradientNorm = double.NaN, "above 0"),
        ["ShufflePoolSize is 0"] = (options => options.ShufflePoolSize = 0, "at least 1"),
        ["ValidationFraction is 1"] = (options => options.ValidationFraction = 1, "0 to below 1"),
        [$"ValidationFraction is {-0.5}"] = (options => options.ValidationFraction = -0.5, "0 to below 1"),
        ["ValidationSteps is 0"] = (options => options.ValidationSteps = 0, "at least 1, or null"),
        ["CheckpointSteps is 0"] = (options => (options.CheckpointSteps, options.CheckpointFolder) = (0, "checkpoints"), "at least 1, or null"),
        ["CheckpointsKept is 0"] = (options => options.CheckpointsKept = 0, "at least 1"),
        ["NonFiniteHandling is 9"] = (options => options.NonFiniteHandling = (NonFiniteHandling)9, "Stop or Skip"),
        ["EarlyStoppingPatience is 0"] = (options => options.EarlyStoppingPatience = 0, "at least 1, or null"),
        ["Precision is 9"] = (options => options.Precision = (Precision)9, "Float32 or BFloat16"),
        ["WeightUpdate is 9"] = (options => options.WeightUpdate = (WeightUpdate)9, "MasterWeights or StochasticRounding"),
        ["Schedule is 9"] = (options => options.Schedule = (LearningRateSchedule)9, "Linear or Cosine or Constant or CosineWithRestarts"),
        ["TruncationSide is 9"] = (options => options.TruncationSide = (TruncationSide)9, "End, Start or Middle"),
        ["ClassWeights['a'] is -1"] = (options => options.ClassWeights = new Dictionary<string, double> { ["a"] = -1 }, "at least 0"),
        ["ClassWeights['a'] is NaN"] = (options => options.ClassWeights = new Dictionary<string, double> { ["a"] = double.NaN }, "at least 0"),
    };

    private readonly MLContext _ml = new(seed: 1);

    public static IEnumerable<TheoryDataRow<string>> OutOfRange() => s_outOfRange.Keys.Select(found => new TheoryDataRow<string>(found));

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void A_value_out_of_its_range_is_refused_when_the_trainer_is_made(string found)
    {
        var options = new SequenceClassificationOptions();
        s_outOfRange[found].Change(options);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Trainer(options));
        Assert.Contains(found, error.Message);
        Assert.Contains(s_outOfRange[found].Expected, error.Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.BinaryClassification.Trainers.SequenceClassification(options: options));
    }

    [Fact]
    public void The_defaults_are_in_range()
    {
        SequenceClassificationEstimator trainer = _ml.MulticlassClassification.Trainers.SequenceClassification();
        Assert.Equal(["PredictedLabel", "Probability", "Score"], trainer.GetOutputSchema(MLNetInterop.ShapeOf(Tickets.View(_ml, 1).Schema)).Select(column => column.Name)
            .Intersect(["PredictedLabel", "Score", "Probability"]).Order());
    }

    [Fact]
    public void Options_that_exclude_each_other_are_refused()
    {
        IDataView data = Tickets.View(_ml, 4);
        Refused(options => (options.ValidationSet, options.ValidationFraction) = (data, 0.2), $"ValidationSet and ValidationFraction {0.2} exclude each other");
        Refused(options => options.EarlyStoppingPatience = 2, "EarlyStoppingPatience needs rows to validate on", "ValidationFraction");
        Refused(options => options.CheckpointSteps = 5, "CheckpointSteps 5 needs a CheckpointFolder");
        Refused(options => options.ValidationMetric = new ValidationMetric("Mine", _ => 1), "ValidationMetric Mine", "needs a ValidationSet");
        Refused(options => (options.LabelSmoothing, options.FocalGamma) = (0.1, 2), "LabelSmoothing", "FocalGamma 2 exclude each other");
        Refused(options => (options.Adapter, options.Trained) = (new(), TrainedWeights.HeadOnly), "Adapter and Trained HeadOnly exclude each other", "ModulesToSave");
        Refused(options => (options.BalanceClasses, options.ClassWeights) = (true, new Dictionary<string, double>()), "ClassWeights and BalanceClasses exclude each other");
    }

    [Fact]
    public void Output_columns_of_one_name_are_refused()
    {
        Refused(options => options.ScoreColumnName = "PredictedLabel", "different names", "'PredictedLabel', 'PredictedLabel', 'Probability'");
        Refused(options => options.ProbabilityColumnName = "Score", "different names", "'Score', 'Score'");
        Refused(options => options.ScoreColumnName = "");
    }

    [Fact]
    public void Column_names_must_be_given()
    {
        Assert.ThrowsAny<ArgumentException>(() => _ml.Trainer(new(), label: ""));
        Assert.ThrowsAny<ArgumentException>(() => _ml.Trainer(new(), text: ""));
        Assert.Throws<ArgumentNullException>(() => _ml.Trainer(new()).Fit(null!));
        Assert.Throws<ArgumentNullException>(() => _ml.Trainer(new()).GetOutputSchema(null!));
    }

    [Fact]
    public void Options_changed_after_the_trainer_was_made_change_nothing()
    {
        var options = new SequenceClassificationOptions { ScoreColumnName = "First" };
        SequenceClassificationEstimator trainer = _ml.Trainer(options);
        options.ScoreColumnName = "Second";
        Assert.Contains("First", trainer.GetOutputSchema(MLNetInterop.ShapeOf(Tickets.View(_ml, 1).Schema)).Select(column => column.Name));
    }

    private void Refused(Action<SequenceClassificationOptions> change, params string[] words)
    {
        var options = new SequenceClassificationOptions();
        change(options);
        var error = Assert.Throws<ArgumentException>(() => _ml.Trainer(options));
        Assert.All(words, word => Assert.Contains(word, error.Message));
    }
}
