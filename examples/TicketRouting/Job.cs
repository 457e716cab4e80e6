using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Trainers;
using MLComponents.Transforms;
using Spectre.Console;

namespace TicketRouting;

/// <summary>The whole job: load, split, baseline, fine-tune, evaluate, save, load, score again.</summary>
internal sealed record Job(
    string Data, string Label, string? Template, string? Model, int? Epochs, double? LearningRate, int BatchSize, string Output)
{
    private const double TestFraction = 0.2;
    private const int Seed = 1;
    private const string KeyColumn = "LabelKey";

    public int Run()
    {
        var ml = new MLContext(Seed);
        var table = new Table(Data);
        IDataView rows = table.Load(ml);
        // Every fifth row by chance is the test set; the pre-training of the tiny decoder leaves the same rows out.
        DataOperationsCatalog.TrainTestData split = ml.Data.TrainTestSplit(rows, TestFraction, seed: Seed);
        if (!table.Columns.Contains(Label)) throw new InvalidDataException($"{Data} has no column '{Label}' to predict (--label); its columns are {string.Join(", ", table.Columns)}.");
        Report.Data(Data, rows, split, Label);

        var prompt = ml.Transforms.Text.FormatPrompt("Prompt", Template ?? table.DefaultTemplate(Label))
            .Append(ml.Transforms.Conversion.MapValueToKey(KeyColumn, Label));

        Report.Heading("TF-IDF baseline");
        MulticlassClassificationMetrics baseline = Evaluate(ml, split, prompt
            .Append(ml.Transforms.Text.FeaturizeText("Features", "Prompt"))
            .Append(ml.MulticlassClassification.Trainers.SdcaMaximumEntropy(KeyColumn)), out TimeSpan baselineTime, out _);
        AnsiConsole.WriteLine($"done in {baselineTime.TotalSeconds:F0} s");

        Report.Heading($"Fine-tuning {(Model is null ? "the tiny decoder" : Path.GetFileName(Model.TrimEnd('/')))} in bfloat16");
        using var progress = new ProgressDisplay();
        MulticlassClassificationMetrics tuned = Evaluate(ml, split, prompt
            .Append(ml.MulticlassClassification.Trainers.SequenceClassification(KeyColumn, "Prompt", new SequenceClassificationOptions
            {
                Model = Model,
                Epochs = Epochs ?? (Model is null ? 4 : 3),
                LearningRate = LearningRate,
                TruncationSide = TruncationSide.Middle, // the prompt ends with its question
                BatchSize = BatchSize,
                Progress = progress,
            }))
            .Append(ml.Transforms.Conversion.MapKeyToValue("Prediction", "PredictedLabel"))
            .Append(ml.Transforms.Conversion.MapKeyToValue("Truth", KeyColumn)), out TimeSpan tunedTime, out ITransformer model);

        // Saved before anything is shown of it: what was learnt must not depend on a table being printable.
        ml.Model.Save(model, rows.Schema, Output);
        Report.Comparison(("TF-IDF + SdcaMaximumEntropy", baseline, baselineTime), ("Fine-tuned decoder", tuned, tunedTime));
        Report.Confusion(tuned);
        IDataView scored = model.Transform(split.TestSet);
        Report.Predictions(ml, scored);

        Report.Heading("One model file");
        ITransformer loaded = new MLContext().Model.Load(Output, out _);
        bool identical = Scores(scored).SequenceEqual(Scores(loaded.Transform(split.TestSet)));
        AnsiConsole.WriteLine($"saved {Output} ({new FileInfo(Output).Length / 1e6:F1} MB), loaded it back: scores are {(identical ? "identical" : "DIFFERENT")}");
        (loaded as IDisposable)?.Dispose();
        (model as IDisposable)?.Dispose();
        return identical ? 0 : 1;
    }

    private static MulticlassClassificationMetrics Evaluate<T>(
        MLContext ml, DataOperationsCatalog.TrainTestData split, EstimatorChain<T> pipeline, out TimeSpan time, out ITransformer model)
        where T : class, ITransformer
    {
        var clock = Stopwatch.StartNew();
        model = pipeline.Fit(split.TrainSet);
        MulticlassClassificationMetrics metrics = ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet), KeyColumn);
        time = clock.Elapsed;
        return metrics;
    }

    private static List<float> Scores(IDataView scored) => [.. scored.GetColumn<float[]>("Score").SelectMany(row => row)];
}
