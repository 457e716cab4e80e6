using System.Diagnostics;
using Microsoft.ML;
using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Transforms;
using TorchSharp;

namespace MLComponents.Benchmarks;

/// <summary>
/// Scoring short texts through Transform against the same model one row at a time and in padded batches of 32 in file order; and
/// how memory grows with the number of rows.
/// </summary>
internal static class Scoring
{
    private const int FileOrderBatch = 32;
    private const int Rounds = 3;

    public static void Run(string? folder, string textFile, int rows, int slowRows)
    {
        string[] lines = [.. File.ReadLines(textFile).Select(line => line[(line.IndexOf('\t') + 1)..])];
        Text[] texts = [.. Enumerable.Range(0, rows).Select(i => new Text { Value = lines[i % lines.Length] })];
        var ml = new MLContext(1);
        using SequenceClassificationTransformer transformer = Load(ml, folder);
        var scorer = (TextClassifier)transformer.Scorer;
        IDataView view = ml.Data.LoadFromEnumerable(texts);
        IDataView few = ml.Data.LoadFromEnumerable(texts[..slowRows]);
        Drain(transformer.Transform(few)); // kernels loaded, words cached

        var single = new List<double>();
        var fileOrder = new List<double>();
        var batched = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            single.Add(slowRows / Seconds(() =>
            {
                for (int i = 0; i < slowRows; i++) scorer.Forward([scorer.Encode(new(texts[i].Value.AsMemory())).Ids]);
            }));
            fileOrder.Add(slowRows / Seconds(() =>
            {
                foreach (Text[] chunk in texts[..slowRows].Chunk(FileOrderBatch)) scorer.Forward([.. chunk.Select(text => scorer.Encode(new(text.Value.AsMemory())).Ids)]);
            }));
            batched.Add(rows / Seconds(() => Drain(transformer.Transform(view))));
        }

        double tokens = texts[..slowRows].Average(text => (double)scorer.Encode(new(text.Value.AsMemory())).Ids.Length);
        Console.WriteLine($"scoring {Path.GetFileName(textFile)}, {(folder is null ? "tiny decoder" : Path.GetFileName(folder))}, {tokens:F1} tokens a row; {Machine.Describe()}");
        Console.WriteLine("| way | rows | rows/s (median) | range |");
        Console.WriteLine("|-|-|-|-|");
        Print("one row at a time", slowRows, single);
        Print($"padded batches of {FileOrderBatch} in file order", slowRows, fileOrder);
        Print("Transform", rows, batched);
        Console.WriteLine($"Transform is {Median(batched) / Median(single):F2} x one row at a time, {Median(batched) / Median(fileOrder):F2} x file order");
        double before = Machine.PeakMemoryGigabytes();
        Drain(transformer.Transform(ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4 * rows).Select(i => new Text { Value = lines[i % lines.Length] }))));
        Console.WriteLine($"peak memory after {rows} rows {before:F3} GB, after {4 * rows} more {Machine.PeakMemoryGigabytes():F3} GB");
    }

    private static SequenceClassificationTransformer Load(MLContext ml, string? folder)
    {
        var settings = new SequenceClassificationSettings { TextColumnName = nameof(Text.Value), MaxLength = 128 };
        string path = folder ?? Path.Combine(Path.GetTempPath(), $"tiny-decoder-{Environment.ProcessId}");
        if (folder is null) TinyDecoder.Save(path);
        SequenceClassificationModel model = SequenceClassificationModel.Load(path, 2, torch.ScalarType.BFloat16);
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(path);
        if (folder is null) Directory.Delete(path, recursive: true);
        return new SequenceClassificationTransformer(ml, model, tokenizer, ClassLabels.Binary, settings);
    }

    private static void Drain(IDataView scored)
    {
        using DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Probability"]]);
        ValueGetter<float> get = cursor.GetGetter<float>(scored.Schema["Probability"]);
        float probability = 0;
        while (cursor.MoveNext()) get(ref probability);
    }

    private static double Seconds(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Print(string way, int rows, List<double> rates) => Console.WriteLine($"| {way} | {rows} | {Median(rates):F1} | {rates.Min():F1}-{rates.Max():F1} |");

    private sealed class Text
    {
        public string Value { get; set; } = "";
    }
}
