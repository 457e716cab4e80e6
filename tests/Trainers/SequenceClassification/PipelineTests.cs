using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class PipelineTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    private SequenceClassificationOptions Learning => folder.Options(options => (options.Epochs, options.LearningRate) = (4, 1e-2));

    [Fact]
    public void A_fitted_pipeline_scores_identically_after_saving_and_loading()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable(Tickets.Rows(96));
        ITransformer model = _ml.Transforms.Text.FormatPrompt("Prompt", "{Text}")
            .Append(_ml.Transforms.Conversion.MapValueToKey("Label", "Queue"))
            .Append(_ml.Trainer(Learning, text: "Prompt"))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedQueue", "PredictedLabel")).Fit(rows);
        ITransformer loaded = EstimatorContract.Reload(new MLContext(), model, rows.Schema);
        IDataView scored = model.Transform(rows), again = loaded.Transform(rows);
        EstimatorContract.CheckValues(scored, again);
        string[] predicted = [.. again.GetColumn<string>("PredictedQueue")];
        Assert.InRange(predicted.Zip(Tickets.Rows(96)).Count(pair => pair.First == pair.Second.Queue), 70, 96);
        MulticlassClassificationMetrics metrics = _ml.MulticlassClassification.Evaluate(again);
        Assert.InRange(metrics.MicroAccuracy, 0.75, 1);
        Assert.InRange(metrics.LogLoss, 0, 0.9);
        (model as IDisposable)?.Dispose();
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void Truth_values_are_learnt_by_the_binary_trainer()
    {
        IDataView data = Tickets.View(_ml, 96);
        using SequenceClassificationTransformer model = _ml.BinaryClassification.Trainers.SequenceClassification("Urgent", "Text", Learning).Fit(data);
        CalibratedBinaryClassificationMetrics metrics = _ml.BinaryClassification.Evaluate(model.Transform(data), "Urgent");
        Assert.InRange(metrics.Accuracy, 0.8, 1);
        Assert.InRange(metrics.AreaUnderRocCurve, 0.8, 1);
        Assert.InRange(metrics.LogLoss, 0, 0.9);
        using var loaded = (SequenceClassificationTransformer)EstimatorContract.Reload(new MLContext(), model, data.Schema);
        EstimatorContract.CheckValues(model.Transform(data), loaded.Transform(data));
    }

    [Fact]
    public void Keys_of_numbers_are_predicted_as_numbers()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(Tickets.Rows(96).Select(row => new Rated { Text = row.Text, Stars = row.Queue[^1] - 'A' + 3 }));
        ITransformer model = _ml.Transforms.Conversion.MapValueToKey("Label", "Stars").Append(_ml.Trainer(Learning))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel")).Fit(data);
        IDataView scored = model.Transform(data);
        Assert.Equal(NumberDataViewType.Int32, scored.Schema["Predicted"].Type);
        Assert.InRange(scored.GetColumn<int>("Predicted").Zip(scored.GetColumn<int>("Stars")).Count(pair => pair.First == pair.Second), 70, 96);
        (model as IDisposable)?.Dispose();
    }

    [Fact]
    public void It_can_be_cross_validated()
    {
        IReadOnlyList<TrainCatalogBase.CrossValidationResult<MulticlassClassificationMetrics>> folds =
            _ml.MulticlassClassification.CrossValidate(Tickets.View(_ml, 120), _ml.Trainer(Learning), numberOfFolds: 2);
        Assert.Equal(2, folds.Count);
        Assert.All(folds, fold => Assert.InRange(fold.Metrics.MicroAccuracy, 0.6, 1));
        foreach (var fold in folds) (fold.Model as IDisposable)?.Dispose();
    }

    [Fact]
    public void Both_trainers_are_good_estimators()
    {
        IDataView data = Tickets.View(_ml, 12);
        IDataView Without(params string[] columns) => _ml.Transforms.DropColumns(columns).Fit(data).Transform(data);
        IDataView Copied(string name, string source) => _ml.Transforms.CopyColumns(name, source).Fit(data).Transform(data);
        SequenceClassificationOptions options = folder.Options(options => options.Epochs = 1);
        EstimatorContract.Check(_ml, _ml.Trainer(options), data, Without("Text"), Copied("Text", "Vector"));
        EstimatorContract.Check(_ml, _ml.BinaryClassification.Trainers.SequenceClassification("Urgent", "Text", options), data, Without("Text"), Copied("Text", "Vector"));
    }

    [Fact]
    public void Output_columns_have_the_names_asked_for()
    {
        IDataView data = Tickets.View(_ml, 16);
        using SequenceClassificationTransformer model = _ml.Trainer(folder.Options(options =>
            (options.PredictedLabelColumnName, options.ScoreColumnName, options.ProbabilityColumnName, options.Epochs) = ("Q", "Scores", "Sure", 1))).Fit(data);
        Assert.Equal(["Q", "Scores", "Sure"], model.GetOutputSchema(data.Schema).Select(column => column.Name).TakeLast(3));
    }

    [Fact]
    public void Class_weights_shift_what_is_predicted()
    {
        // Two labels that nothing tells apart, twice as many A as B: without weights A has 2 of 3, balanced half, with 4 for B a third.
        IDataView data = Ambiguous();
        float Probability(Action<SequenceClassificationOptions> change) => _ml.TrainAndScore(
            folder.Options(options => { (options.Epochs, options.LearningRate) = (8, 3e-3); change(options); }), data, data)[0][0];
        float plain = Probability(_ => { }), balanced = Probability(options => options.BalanceClasses = true);
        float weighted = Probability(options => options.ClassWeights = new Dictionary<string, double> { ["queue B"] = 4 });
        Assert.Equal(2.0 / 3, plain, 0.08);
        Assert.Equal(1.0 / 2, balanced, 0.08);
        Assert.Equal(1.0 / 3, weighted, 0.08);
    }

    [Fact]
    public void A_label_of_weight_zero_is_not_learnt()
    {
        IDataView data = Ambiguous();
        float[][] scores = _ml.TrainAndScore(folder.Options(options => (options.Epochs, options.LearningRate, options.BatchSize, options.ClassWeights) =
            (8, 1e-2, 2, new Dictionary<string, double> { ["queue A"] = 0 })), data, data);
        Assert.InRange(scores[0][1], 0.95, 1);
    }

    private IDataView Ambiguous()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 48).Select(i => new Tickets.Ticket { Text = "the same", Queue = i % 3 == 2 ? "queue B" : "queue A" }));
        return _ml.Transforms.Conversion.MapValueToKey("Label", "Queue").Fit(rows).Transform(rows);
    }

    private sealed class Rated
    {
        public string Text { get; set; } = "";

        public int Stars { get; set; }
    }
}
