using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>
/// The tickets of examples/TicketRouting: a fine-tuned decoder beside TF-IDF, trained on several seeds over the example's split. Only that
/// split keeps its test rows out of the tiny decoder's pre-training text.
/// </summary>
internal static class Tickets
{
    private const double TestFraction = 0.2;
    private const int SplitSeed = 1;

    public static void Run(string? model, string data, string template, int[] seeds, SequenceClassificationOptions options)
    {
        Console.WriteLine($"tickets, {(model is null ? "tiny decoder" : Path.GetFileName(model))}, {options.Epochs} epochs, batch {options.BatchSize}, learning rate {options.LearningRate?.ToString() ?? "default"}, weight decay {options.WeightDecay}; {Machine.Describe()}");
        Console.WriteLine("| seed | micro-accuracy | macro-accuracy | log-loss | TF-IDF + SDCA micro-accuracy | log-loss | training time |");
        Console.WriteLine("|-|-|-|-|-|-|-|");
        var decoder = new List<double>();
        foreach (int seed in seeds)
        {
            var ml = new MLContext(seed);
            string[] columns = File.ReadLines(data).First().Split('\t');
            IDataView rows = ml.Data.LoadFromTextFile(data, new TextLoader.Options
            {
                HasHeader = true,
                Columns = [.. columns.Select((name, index) => new TextLoader.Column(name, DataKind.String, index))],
            });
            DataOperationsCatalog.TrainTestData split = new MLContext(SplitSeed).Data.TrainTestSplit(rows, TestFraction, seed: SplitSeed);
            var prompt = ml.Transforms.Text.FormatPrompt("Prompt", template).Append(ml.Transforms.Conversion.MapValueToKey("Label", "Queue"));
            options.Model = model;
            options.Seed = seed;
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            var tuned = prompt.Append(ml.MulticlassClassification.Trainers.SequenceClassification("Label", "Prompt", options)).Fit(split.TrainSet);
            TimeSpan time = System.Diagnostics.Stopwatch.GetElapsedTime(start);
            MulticlassClassificationMetrics metrics = ml.MulticlassClassification.Evaluate(tuned.Transform(split.TestSet));
            tuned.Dispose();
            var baseline = prompt.Append(ml.Transforms.Text.FeaturizeText("Features", "Prompt")).Append(ml.MulticlassClassification.Trainers.SdcaMaximumEntropy()).Fit(split.TrainSet);
            MulticlassClassificationMetrics tfIdf = ml.MulticlassClassification.Evaluate(baseline.Transform(split.TestSet));
            Console.WriteLine($"| {seed} | {metrics.MicroAccuracy:P1} | {metrics.MacroAccuracy:P1} | {metrics.LogLoss:F3} | {tfIdf.MicroAccuracy:P1} | {tfIdf.LogLoss:F3} | {time.TotalSeconds:F0} s |");
            decoder.Add(metrics.MicroAccuracy);
        }

        Console.WriteLine($"mean micro-accuracy of the decoder {decoder.Average():P1} over {seeds.Length} seeds");
    }
}
