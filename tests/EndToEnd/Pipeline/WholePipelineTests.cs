using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLComponents.Models;
using MLComponents.Trainers;
using MLComponents.Transforms;

namespace MLComponents.EndToEnd.Tests;

public class WholePipelineTests
{
    private const int Rows = 200;
    private const double TestFraction = 0.2;

    /// <summary>What a model that has learnt nothing stays below: a third of the rows have each label.</summary>
    private const double Learnt = 0.7;

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float32)]
    public void A_trained_pipeline_is_evaluated_saved_loaded_and_scores_alike(Precision precision)
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(seed: 1);
        IDataView rows = ml.Data.LoadFromEnumerable(Ticket.Rows(Rows));
        DataOperationsCatalog.TrainTestData split = ml.Data.TrainTestSplit(rows, TestFraction);
        string file = folder["model.zip"];

        ITransformer trained = Pipeline(ml, Model(folder), precision).Fit(split.TrainSet);
        IDataView scored = trained.Transform(split.TestSet);
        MulticlassClassificationMetrics metrics = ml.MulticlassClassification.Evaluate(scored);
        Assert.True(metrics.MicroAccuracy > Learnt, $"micro-accuracy {metrics.MicroAccuracy}");
        Assert.Equal(["Billing", "Delivery", "Repair"], LabelNames(scored).Order(StringComparer.Ordinal));

        ml.Model.Save(trained, rows.Schema, file);
        var fresh = new MLContext();
        ITransformer loaded = fresh.Model.Load(file, out DataViewSchema schema);
        Assert.Equal(rows.Schema.Select(column => (column.Name, column.Type)), schema.Select(column => (column.Name, column.Type)));
        Prediction[] before = Predictions(ml, trained, split.TestSet), after = Predictions(fresh, loaded, split.TestSet);
        Assert.Equal(before.Select(Bits), after.Select(Bits));
        Assert.Equal(metrics.LogLoss, fresh.MulticlassClassification.Evaluate(loaded.Transform(split.TestSet)).LogLoss);

        using PredictionEngine<Ticket, Prediction> engine = fresh.Model.CreatePredictionEngine<Ticket, Prediction>(loaded, new PredictionEngineOptions { OwnsTransformer = false });
        foreach ((Ticket row, Prediction batched) in ml.Data.CreateEnumerable<Ticket>(split.TestSet, reuseRowObject: false).Zip(after))
        {
            Prediction single = engine.Predict(row);
            Assert.Equal(batched.PredictedQueue, single.PredictedQueue);
            Assert.Equal(batched.Score.Max(), single.Score.Max(), precision == Precision.Float32 ? 1e-4f : 0.03f); // another batch, another rounding
            Assert.Equal(single.Score.Max(), single.Probability);
        }

        (loaded as IDisposable)?.Dispose();
        (trained as IDisposable)?.Dispose();
    }

    [Fact]
    public void Cross_validation_trains_a_model_per_fold_on_the_rows_outside_it()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(seed: 1);
        IDataView rows = ml.Data.LoadFromEnumerable(Ticket.Rows(Rows));

        var folds = ml.MulticlassClassification.CrossValidate(rows, Pipeline(ml, Model(folder), Precision.Float32), numberOfFolds: 2);

        Assert.Equal(2, folds.Count);
        Assert.Equal(Rows, folds.Sum(fold => fold.ScoredHoldOutSet.GetColumn<string>("Queue").Count()));
        Assert.True(folds.Average(fold => fold.Metrics.MicroAccuracy) > Learnt, string.Join(", ", folds.Select(fold => fold.Metrics.MicroAccuracy)));
        foreach (var fold in folds) (fold.Model as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_binary_pipeline_is_evaluated_saved_loaded_and_scores_alike()
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(seed: 1);
        IDataView rows = ml.Transforms.Expression("Urgent", "queue => queue == \"Repair\"", "Queue").Fit(ml.Data.LoadFromEnumerable(Ticket.Rows(Rows))).Transform(ml.Data.LoadFromEnumerable(Ticket.Rows(Rows)));
        DataOperationsCatalog.TrainTestData split = ml.Data.TrainTestSplit(rows, TestFraction);
        string file = folder["model.zip"];

        using var trained = ml.BinaryClassification.Trainers.SequenceClassification("Urgent", "Body", Options(Model(folder), Precision.BFloat16)).Fit(split.TrainSet);
        CalibratedBinaryClassificationMetrics metrics = ml.BinaryClassification.Evaluate(trained.Transform(split.TestSet), "Urgent");
        Assert.True(metrics.AreaUnderRocCurve > 0.9, $"area under the ROC curve {metrics.AreaUnderRocCurve}");

        ml.Model.Save(trained, rows.Schema, file);
        ITransformer loaded = new MLContext().Model.Load(file, out _);
        Assert.Equal(trained.Transform(split.TestSet).GetColumn<float>("Score"), loaded.Transform(split.TestSet).GetColumn<float>("Score"));
        (loaded as IDisposable)?.Dispose();
    }

    private static EstimatorChain<KeyToValueMappingTransformer> Pipeline(MLContext ml, string model, Precision precision) =>
        ml.Transforms.Text.FormatPrompt("Prompt", "Product: {Product}\nPrice: {Price:F2}\n\n{Body}", new FormatPromptOptions { DropLinesWithoutValues = true })
            .Append(ml.Transforms.Conversion.MapValueToKey("Label", nameof(Ticket.Queue)))
            .Append(ml.MulticlassClassification.Trainers.SequenceClassification("Label", "Prompt", Options(model, precision)))
            .Append(ml.Transforms.Conversion.MapKeyToValue(nameof(Prediction.PredictedQueue), "PredictedLabel"));

    private static SequenceClassificationOptions Options(string model, Precision precision) => new()
    {
        Model = model,
        Precision = precision,
        Epochs = 8,
        BatchSize = 8,
        LearningRate = 5e-3,
    };

    private static string Model(TemporaryFolder folder) => TinyFolder.Create(folder["decoder"], Ticket.Rows(Rows).Select(row => row.Body));

    private static Prediction[] Predictions(MLContext ml, ITransformer model, IDataView rows) =>
        [.. ml.Data.CreateEnumerable<Prediction>(model.Transform(rows), reuseRowObject: false)];

    private static string Bits(Prediction prediction) =>
        $"{prediction.PredictedQueue} {string.Join(' ', prediction.Score.Append(prediction.Probability).Select(BitConverter.SingleToUInt32Bits))}";

    private static string[] LabelNames(IDataView scored)
    {
        VBuffer<ReadOnlyMemory<char>> names = default;
        scored.Schema["Score"].GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }
}
