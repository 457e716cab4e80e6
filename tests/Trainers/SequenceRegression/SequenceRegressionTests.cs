using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class SequenceRegressionTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Numbers_are_learnt_and_evaluated_by_ml_net()
    {
        IDataView data = Letters.View(_ml, 160);
        var recorder = new ProgressRecorder();
        using SequenceRegressionTransformer trained = Trainer(options =>
            (options.Epochs, options.ValidationSet, options.Progress, options.ValidationMetric) = (8, data, recorder, ValidationMetric.PearsonCorrelation)).Fit(data);
        RegressionMetrics metrics = _ml.Regression.Evaluate(trained.Transform(data), "Share");
        Assert.InRange(metrics.RSquared, 0.6, 1);
        TrainingProgress best = recorder.Validations.MaxBy(report => report.Validation![ValidationMetric.PearsonCorrelation])!;
        Assert.Equal(metrics.MeanSquaredError, best.Validation![ValidationMetric.MeanSquaredError], 1e-6);
        Assert.Equal(metrics.MeanAbsoluteError, best.Validation![ValidationMetric.MeanAbsoluteError], 1e-6);
        using var loaded = (SequenceRegressionTransformer)EstimatorContract.Reload(new MLContext(), trained, data.Schema);
        EstimatorContract.CheckValues(trained.Transform(data), loaded.Transform(data));
        Assert.Equal(("Text", "Score"), (loaded.TextColumnName, loaded.ScoreColumnName));
        Assert.Equal(ProblemType.Regression, loaded.Model.Config.ProblemType);
    }

    [Fact]
    public void The_correlation_is_pearsons()
    {
        (float[], float[])[] rows = [([1], [2]), ([2], [1]), ([4], [5])];
        // By hand: means 7/3 and 8/3, covariance sum 16/3, squares 14/3 and 26/3.
        Assert.Equal(16.0 / 3 / Math.Sqrt(14.0 / 3 * 26 / 3), TargetedTextTask.RegressionMetrics(rows)["PearsonCorrelation"], 1e-12);
        Assert.Equal(1, TargetedTextTask.RegressionMetrics(rows)["MeanSquaredError"], 1e-12);
        Assert.Equal(0, TargetedTextTask.RegressionMetrics([([1], [2]), ([1], [3])])["PearsonCorrelation"]);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        IDataView data = Letters.View(_ml, 16);
        Letters.Row[] rows = Letters.Rows(16);
        rows[3].Share = float.NaN;
        Assert.Contains("Row 3 has the value NaN in column 'Share'", Assert.Throws<InvalidOperationException>(() => Trainer(_ => { }).Fit(_ml.Data.LoadFromEnumerable(rows))).Message);
        Assert.Contains("expected Single", Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(_ => { }, "Text").Fit(data)).Message);
        Assert.Contains("no such column", Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(_ => { }, "Nothing").Fit(data)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Trainer(options => options.ValidationMetric = ValidationMetric.MicroF1));
        Assert.ThrowsAny<ArgumentException>(() => Trainer(options => options.ScoreColumnName = ""));
        Assert.Throws<InvalidOperationException>(() => Trainer(_ => { }).Fit(Letters.View(_ml, 0)));
        Assert.Throws<InvalidOperationException>(() => Trainer(options => options.ValidationSet = Letters.View(_ml, 0)).Fit(data));
    }

    [Fact]
    public void It_is_a_good_estimator()
    {
        IDataView data = Letters.View(_ml, 12);
        IDataView Without(string column) => _ml.Transforms.DropColumns(column).Fit(data).Transform(data);
        EstimatorContract.Check(_ml, Trainer(_ => { }), data, Without("Text"));
    }

    [Fact]
    public void It_is_saved_as_a_folder_with_one_output()
    {
        string saved = Directory.CreateTempSubdirectory("mlcomponents-regression-").FullName;
        try
        {
            using SequenceRegressionTransformer trained = Trainer(options => options.Adapter = new LoraOptions()).Fit(Letters.View(_ml, 16));
            trained.SavePretrained(saved);
            using SequenceClassificationModel loaded = SequenceClassificationModel.Load(saved);
            Assert.Equal((1, 0), (loaded.Config.LabelCount, loaded.Adapters.Count));
        }
        finally
        {
            Directory.Delete(saved, recursive: true);
        }
    }

    private SequenceRegressionEstimator Trainer(Action<SequenceRegressionOptions> change, string label = "Share")
    {
        var options = new SequenceRegressionOptions { Model = folder.Path, Precision = Precision.Float32, LearningRate = 1e-2, Epochs = 1 };
        change(options);
        return _ml.Regression.Trainers.SequenceRegression(label, "Text", options);
    }
}
