using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Tokenization;
using MLComponents.Transforms;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>A column of generated texts against the same texts generated one row at a time, by this library's kernels and by libtorch's.</summary>
internal static class GenerationColumn
{
    private static readonly string[] s_forms =
    [
        "Write a short note to a customer about {0}.\n\nNote:",
        "Question: What should I know about {0}?\nAnswer:",
        "The following text explains {0} to a child who has never heard of it and wants to know why it matters in everyday life.\n\n",
        "{0} is",
    ];

    private static readonly string[] s_things =
        ["late deliveries", "the water cycle", "a broken washing machine", "compound interest", "photosynthesis", "winter tyres", "the history of the bicycle", "bread", "solar panels", "refunds"];

    /// <summary>Prints texts per second of each way.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="rows">Rows of the column.</param>
    /// <param name="slowRows">Rows one at a time.</param>
    /// <param name="tokens">New tokens of each.</param>
    /// <param name="batchSizes">How many texts are in the making at a time.</param>
    /// <param name="dtype">The element type of the weights.</param>
    public static void Run(string folder, int rows, int slowRows, int tokens, int[] batchSizes, ScalarType dtype)
    {
        set_num_threads(Environment.ProcessorCount);
        var ml = new MLContext(1);
        string[] prompts = [.. Enumerable.Range(0, rows).Select(row => string.Format(CultureInfo.InvariantCulture, s_forms[row % s_forms.Length], $"{s_things[row * 7 % s_things.Length]} (number {row})"))];
        IDataView view = ml.Data.LoadFromEnumerable(prompts.Select(prompt => new Row { Prompt = prompt }));
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(folder);
        var config = new GenerationConfig { DoSample = false, MaxNewTokens = tokens, EosTokenIds = [] };
        using CausalLanguageModel model = CausalLanguageModel.Load(folder, dtype);
        model.eval();
        int[][] ids = [.. prompts.Take(slowRows).Select(prompt => tokenizer.EncodeIds(prompt))];
        Console.WriteLine($"generation-column, {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}, {dtype}, {ids.Average(row => row.Length):F1} tokens a prompt, {tokens} new ones; {Machine.Describe()}");
        Console.WriteLine("| way | rows | rows/s | new tokens/s | times one row at a time |");
        Console.WriteLine("|-|-|-|-|-|");

        model.Generate(ids[0], config);
        double one = Rate(slowRows, () =>
        {
            foreach (int[] prompt in ids) model.Generate(prompt, config);
        });
        Print("one row at a time", slowRows, one, one);
        IDecodingModel kernels = model.Decoding;
        model.Decoding = new TorchDecodingModel(model);
        model.Generate(ids[0], config);
        Print("one row at a time, by libtorch", slowRows, Rate(slowRows, () =>
        {
            foreach (int[] prompt in ids) model.Generate(prompt, config);
        }), one);
        model.Decoding = kernels;
        foreach (int batchSize in batchSizes)
        {
            var options = new TextGenerationOptions { Model = folder, Generation = config, BatchSize = batchSize };
            var settings = new TextGenerationSettings("Text", nameof(Row.Prompt), options);
            // Not disposed: the model serves all of them.
            IDataView generated = new TextGenerationTransformer(ml, new TextGenerator(model, tokenizer, options), settings).Transform(view);
            Print($"GenerateText, {batchSize} at a time", rows, Rate(rows, () => generated.GetColumn<string>("Text").Count()), one);
        }

        void Print(string way, int count, double rate, double baseline) =>
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {way} | {count} | {rate:F2} | {rate * tokens:F0} | {rate / baseline:F2} |"));
    }

    private static double Rate(int rows, Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return rows / clock.Elapsed.TotalSeconds;
    }

    private sealed class Row
    {
        public string Prompt { get; set; } = "";
    }
}
