using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Trainers.Tests;

public class MultiLabelTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly ProgressRecorder _progress = new();

    [Fact]
    public void Booleans_are_learnt_and_predicted_each_for_itself()
    {
        IDataView data = Letters.View(_ml, 160);
        using SequenceClassificationTransformer trained = _ml.Trainer(Options(options => (options.ValidationSet, options.ValidationMetric) = (data, ValidationMetric.MicroF1)), "Occurs").Fit(data);
        IDataView scored = trained.Transform(data);
        Assert.Equal(new VectorDataViewType(BooleanDataViewType.Instance, 3), scored.Schema["PredictedLabel"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 3), scored.Schema["Score"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 3), scored.Schema["Probability"].Type);
        bool[][] predicted = [.. scored.GetColumn<bool[]>("PredictedLabel")];
        float[][] scores = [.. scored.GetColumn<float[]>("Score")], probabilities = [.. scored.GetColumn<float[]>("Probability")];
        for (int row = 0; row < predicted.Length; row++)
            for (int label = 0; label < 3; label++)
            {
                Assert.Equal(1 / (1 + Math.Exp(-scores[row][label])), probabilities[row][label], 1e-6);
                Assert.Equal(probabilities[row][label] > 0.5, predicted[row][label]);
            }

        IReadOnlyDictionary<string, double> metrics = TargetedTextTask.LabelMetrics(scores.Zip(Letters.Rows(160), (score, row) => (score, Array.ConvertAll(row.Occurs, occurs => occurs ? 1f : 0f))), 3);
        Assert.InRange(metrics["MicroF1"], 0.85, 1);
        Assert.Equal(_progress.Validations.Max(report => report.Validation![ValidationMetric.MicroF1]), metrics["MicroF1"], 1e-9);
        using var loaded = (SequenceClassificationTransformer)EstimatorContract.Reload(new MLContext(), trained, data.Schema);
        EstimatorContract.CheckValues(scored, loaded.Transform(data));
        Assert.Equal(["0", "1", "2"], loaded.LabelNames);
    }

    [Fact]
    public void Keys_name_the_labels_and_give_the_same_model()
    {
        IDataView data = Letters.View(_ml, 48);
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey("Label", "Found", keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(data).Transform(data);
        using SequenceClassificationTransformer byKeys = _ml.Trainer(Options(options => options.Epochs = 1)).Fit(keyed), byBooleans = _ml.Trainer(Options(options => options.Epochs = 1), "Occurs").Fit(data);
        Assert.Equal(["letter a", "letter b", "letter c"], byKeys.LabelNames);
        Assert.Equal(ProblemType.MultiLabelClassification, byKeys.Model.Config.ProblemType);
        Assert.Equal(Runs.Scores(byBooleans, data), Runs.Scores(byKeys, data));
        VBuffer<ReadOnlyMemory<char>> names = default;
        byKeys.Transform(data).Schema["PredictedLabel"].GetSlotNames(ref names);
        Assert.Equal(["letter a", "letter b", "letter c"], names.DenseValues().Select(name => name.ToString()));
        using SequenceClassificationTransformer weighted = _ml.Trainer(Options(options => (options.Epochs, options.ClassWeights) = (1, new Dictionary<string, double> { ["letter b"] = 3 }))).Fit(keyed);
        Assert.NotEqual(Runs.Scores(byKeys, data), Runs.Scores(weighted, data));
        Assert.Contains("letter z", Assert.Throws<ArgumentException>(() => _ml.Trainer(Options(options => options.ClassWeights = new Dictionary<string, double> { ["letter z"] = 3 })).Fit(keyed)).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_loss_is_the_references_in_parts_and_as_a_whole(bool isWeighted)
    {
        float[]? weights = isWeighted ? [1, 2, 0.5f] : null;
        using SequenceClassificationModel reference = Model(ProblemType.MultiLabelClassification, 3);
        using var scorer = new TextClassifier(Model(ProblemType.MultiLabelClassification, 3), TinyModel.Tokenizer(), null, TruncationSide.End);
        using var task = new TargetedTextTask(scorer, isRegression: false, weights, new SequenceClassificationOptions());
        Check(reference, task, [new([97, 98], [1, 0, 1]), new([99, 98, 97], [0, 0, 1]), new([97], [1, 1, 0])], weights);
    }

    [Fact]
    public void The_loss_of_a_regression_is_the_references()
    {
        using SequenceClassificationModel reference = Model(ProblemType.Regression, 1);
        using var scorer = new TextClassifier(Model(ProblemType.Regression, 1), TinyModel.Tokenizer(), null, TruncationSide.End);
        using var task = new TargetedTextTask(scorer, isRegression: true, null, new SequenceRegressionOptions());
        Check(reference, task, [new([97, 98], [0.5f]), new([99, 98, 97], [-2]), new([97], [3])], null);
    }

    [Fact]
    public void Metrics_are_those_of_the_decisions()
    {
        // Label 0: one right, one missed. Label 1: one right, one too many. Label 2: never.
        IReadOnlyDictionary<string, double> metrics = TargetedTextTask.LabelMetrics([([1, 2, -1], [1, 1, 0]), ([-1, 2, -1], [1, 0, 0]), ([-1, -1, -1], [0, 0, 0])], 3);
        Assert.Equal(2.0 * 2 / (3 + 3), metrics["MicroF1"], 1e-12);
        Assert.Equal(((2.0 / 3) + (2.0 / 3) + 0) / 3, metrics["MacroF1"], 1e-12);
        Assert.Equal(2.0 / 3, metrics["ExactMatch"], 1e-12);
        double Loss(double z, int target) => Math.Log(1 + Math.Exp(target == 1 ? -z : z));
        Assert.Equal((Loss(1, 1) + Loss(2, 1) + Loss(-1, 0) + Loss(-1, 1) + Loss(2, 0) + Loss(-1, 0) + (3 * Loss(-1, 0))) / 9, metrics["LogLoss"], 1e-12);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        IDataView data = Letters.View(_ml, 16);
        string Refused<T>(Action<SequenceClassificationOptions> change, string label = "Occurs", IDataView? rows = null)
            where T : Exception => Assert.Throws<T>(() => _ml.Trainer(Options(change), label).Fit(rows ?? data)).Message;
        Assert.Contains("BalanceClasses", Refused<ArgumentException>(options => options.BalanceClasses = true));
        Assert.Contains("FocalGamma", Refused<ArgumentException>(options => options.FocalGamma = 2));
        Assert.Contains("ValidationMetric is MicroAccuracy, and column 'Occurs' has several labels; expected LogLoss or MicroF1", Refused<ArgumentException>(options => (options.ValidationSet, options.ValidationMetric) = (data, ValidationMetric.MicroAccuracy)));
        Assert.Contains("Found", Refused<ArgumentOutOfRangeException>(_ => { }, "Found"));
        IDataView keyed = _ml.Transforms.Conversion.MapValueToKey("Label", "Found", keyData: _ml.Data.LoadFromEnumerable(new[] { new { Found = "letter a" }, new { Found = "letter b" } })).Fit(data).Transform(data);
        Assert.Contains("a missing key in column 'Label'", Refused<InvalidOperationException>(_ => { }, "Label", keyed));
        Assert.Contains("no rows", Refused<InvalidOperationException>(_ => { }, "Occurs", Letters.View(_ml, 0)));
    }

    [Fact]
    public void It_is_a_good_estimator()
    {
        IDataView data = Letters.View(_ml, 12);
        IDataView Without(string column) => _ml.Transforms.DropColumns(column).Fit(data).Transform(data);
        EstimatorContract.Check(_ml, _ml.Trainer(Options(options => options.Epochs = 1), "Occurs"), data, Without("Text"));
    }

    private static SequenceClassificationModel Model(ProblemType problem, int labels)
    {
        using SequenceClassificationModel model = TinyModel.Model(labels);
        using var content = new MemoryStream();
        model.SaveWeights(content);
        content.Position = 0;
        return SequenceClassificationModel.Load((model.Config with { ProblemType = problem }).ToJson(model.Head), content);
    }

    /// <summary>The task's loss over parts of 2 and 1 rows against the model's own over all.</summary>
    private static void Check(SequenceClassificationModel reference, TargetedTextTask task, TargetedText[] rows, float[]? weights)
    {
        using var scope = NewDisposeScope();
        using TokenBatch tokens = TokenBatch.Create([.. rows.Select(row => row.Ids)], padId: 0);
        Tensor targets = tensor(rows.SelectMany(row => row.Targets).ToArray(), [rows.Length, rows[0].Targets.Length]);
        Tensor expected = reference.Loss(reference.ForwardPooled(tokens.InputIds, tokens.LastPositions), targets, weights is null ? null : tensor(weights));
        double found = new[] { rows[..2], rows[2..] }.Sum(part => task.Loss(part, rows.Sum(task.WeightOf)).ToDouble());
        Assert.Equal(expected.ToDouble(), found, 1e-5);
    }

    private SequenceClassificationOptions Options(Action<SequenceClassificationOptions> change) => folder.Options(options =>
    {
        (options.Epochs, options.LearningRate, options.Progress) = (8, 1e-2, _progress);
        change(options);
    });
}
