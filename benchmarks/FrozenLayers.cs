using System.Globalization;
using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Trainers;
using TorchSharp;

namespace MLComponents.Benchmarks;

/// <summary>
/// A classifier whose last layers alone are trained, on messages of the SMS spam collection: frozen layers run in every step, or once per row, with what they gave in memory
/// or on the disk. All runs follow each other in one process, so that processor seconds compare beside other work.
/// </summary>
internal static class FrozenLayers
{
    private const int ValidationRows = 32;

    public static void Compare(string? model, string data, int rows, int layers, int epochs, int threads, Precision precision)
    {
        torch.set_num_threads(threads);
        var ml = new MLContext(seed: 1);
        TrainedWeights trained = layers == 0 ? TrainedWeights.HeadOnly : TrainedWeights.LastLayers(layers);
        Message[] all = [.. File.ReadLines(data).Select(line => line.Split('\t', 2)).Select(parts => new Message { Label = parts[0] == "spam", Text = parts[1] }).Take(rows + ValidationRows)];
        IDataView training = ml.Data.LoadFromEnumerable(all[..rows]), validation = ml.Data.LoadFromEnumerable(all[rows..]);
        string folder = Directory.CreateTempSubdirectory("mlcomponents-states-").FullName;
        (string Name, long Bytes, string? Folder)[] ways = [("in every step", 0, null), ("once per row, states in memory", 1L << 30, null), ("once per row, states on the disk", 0, folder)];
        Console.WriteLine($"{rows} messages, {ValidationRows} to validate on, {epochs} epochs, the {(layers == 0 ? "head" : $"last {layers} layers")} of {(model is null ? "the tiny decoder" : Path.GetFileName(model))} trained, {precision}, {threads} threads; {Machine.Describe()}");
        Console.WriteLine("| frozen layers are run | processor seconds until the end of the first epoch | of each later epoch | all | of the first way | loss of the last step |");
        Console.WriteLine("|-|-|-|-|-|-|");
        double first = 0;
        foreach ((string name, long bytes, string? states) in ways)
        {
            var ends = new List<double>();
            double loss = 0, started = Used();
            var options = new SequenceClassificationOptions
            {
                Model = model, Epochs = epochs, Trained = trained, Precision = precision, ValidationSet = validation, BatchSize = 16, MaxLength = 128, Threads = threads,
                PrefixCacheBytes = bytes, PrefixCacheFolder = states,
                Progress = new Watch(progress =>
                {
                    if (progress.Validation is null) loss = progress.Loss;
                    else ends.Add(Used() - started);
                }),
            };
            ml.BinaryClassification.Trainers.SequenceClassification("Label", "Text", options).Fit(training).Dispose();
            double later = (ends[^1] - ends[0]) / Math.Max(1, epochs - 1);
            if (first == 0) first = ends[^1];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {ends[0]:F1} | {later:F2} | {ends[^1]:F1} | {ends[^1] / first:F2} | {loss:F4} |"));
        }

        Directory.Delete(folder, recursive: true);
    }

    private static double Used() => Environment.CpuUsage.TotalTime.TotalSeconds;

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
