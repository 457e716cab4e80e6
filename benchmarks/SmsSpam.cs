using System.Diagnostics;
using Microsoft.ML;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>
/// Fine-tuning on the SMS spam collection: as many ham messages as spam ones (747 each), 70 % to train, 10 % to validate, 20 % to
/// test. The recipe that the published decoder classifiers are compared on; the choice of rows depends on the seed.
/// </summary>
internal static class SmsSpam
{
    private const double TrainShare = 0.7, ValidationShare = 0.1;

    /// <summary>Trains once per seed and prints the test accuracies beside those of TF-IDF.</summary>
    public static void Run(string? model, string data, int[] seeds, SequenceClassificationOptions options)
    {
        Console.WriteLine($"SMS spam, {(model is null ? "tiny decoder" : Path.GetFileName(model))}, {options.Epochs} epochs, batch {options.BatchSize}, learning rate {options.LearningRate?.ToString() ?? "default"}, {options.Precision}; {Machine.Describe()}");
        Console.WriteLine("| seed | test accuracy | AUC | TF-IDF + SDCA | best validation accuracy | training time |");
        Console.WriteLine("|-|-|-|-|-|-|");
        var accuracies = new List<double>();
        foreach (int seed in seeds)
        {
            var ml = new MLContext(seed);
            (IDataView train, IDataView validation, IDataView test) = Split(ml, data, seed);
            options.Model = model;
            options.ValidationSet = validation;
            options.Seed = seed;
            double bestValidation = 0;
            options.Progress = new Watch(progress =>
            {
                if (progress.Validation is not { } result) return;
                bestValidation = Math.Max(bestValidation, result[ValidationMetric.MicroAccuracy]);
                Console.Error.WriteLine($"seed {seed} epoch {progress.Epoch}: loss {progress.Loss:F4}, validation accuracy {result[ValidationMetric.MicroAccuracy]:P2}, log-loss {result[ValidationMetric.LogLoss]:F4}, {progress.TokensPerSecond:F0} tokens/s");
            });
            var clock = Stopwatch.StartNew();
            using Transforms.SequenceClassificationTransformer fitted = ml.BinaryClassification.Trainers.SequenceClassification("Label", "Text", options).Fit(train);
            TimeSpan time = clock.Elapsed;
            var metrics = ml.BinaryClassification.Evaluate(fitted.Transform(test));
            var baseline = ml.Transforms.Text.FeaturizeText("Features", "Text").Append(ml.BinaryClassification.Trainers.SdcaLogisticRegression()).Fit(train);
            double tfIdf = ml.BinaryClassification.Evaluate(baseline.Transform(test)).Accuracy;
            Console.WriteLine($"| {seed} | {metrics.Accuracy:P2} | {metrics.AreaUnderRocCurve:F4} | {tfIdf:P2} | {bestValidation:P2} | {time.TotalSeconds:F0} s |");
            accuracies.Add(metrics.Accuracy);
        }

        Console.WriteLine($"mean {accuracies.Average():P2} over {seeds.Length} seeds");
    }

    private static (IDataView Train, IDataView Validation, IDataView Test) Split(MLContext ml, string path, int seed)
    {
        var random = new Random(seed);
        Message[] all = [.. File.ReadLines(path).Select(line => line.Split('\t', 2)).Select(parts => new Message { Label = parts[0] == "spam", Text = parts[1] })];
        Message[] spam = [.. all.Where(m => m.Label)];
        Message[] ham = [.. all.Where(m => !m.Label)];
        random.Shuffle(ham);
        Message[] rows = [.. spam, .. ham.Take(spam.Length)];
        random.Shuffle(rows);
        int train = (int)(rows.Length * TrainShare), validation = (int)(rows.Length * ValidationShare);
        return (ml.Data.LoadFromEnumerable(rows[..train]), ml.Data.LoadFromEnumerable(rows[train..(train + validation)]), ml.Data.LoadFromEnumerable(rows[(train + validation)..]));
    }

    private sealed class Message
    {
        public bool Label { get; set; }

        public string Text { get; set; } = "";
    }

    private sealed class Watch(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
