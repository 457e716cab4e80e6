using System.Diagnostics;
using System.Globalization;
using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>Decoding token by token with a cache: what one more token costs behind texts of several lengths. Weights and ids are random: only shapes count.</summary>
internal static class Decoding
{
    private const int PromptChunk = 512;
    private const int DraftLength = 6;
    private const int WarmUps = 3;

    /// <summary>Prints lower quartiles of single steps (other work on the machine only adds) for every kind of cache and length.</summary>
    /// <param name="folder">Where the config.json is; its weights are not read.</param>
    /// <param name="rows">Rows at once.</param>
    /// <param name="lengths">How many tokens are cached when the measured ones begin.</param>
    /// <param name="tokens">How many steps are measured at each length.</param>
    /// <param name="dtype">The element type.</param>
    public static void Run(string folder, int rows, int[] lengths, int tokens, ScalarType dtype)
    {
        using var noGradient = no_grad();
        manual_seed(1);
        set_num_threads(Environment.ProcessorCount);
        DecoderConfig config = DecoderConfig.Load(folder);
        using var model = new CausalLanguageModel(config, seed: 1, dtype);
        model.eval();
        int longest = lengths.Max() + WarmUps + tokens + (DraftLength * (WarmUps + tokens));
        var caches = new Dictionary<string, Func<KeyValueCache>>
        {
            ["dynamic"] = static () => new DynamicCache(),
            ["dynamic for the model"] = () => new DynamicCache(config),
            ["static"] = () => new StaticCache(config, rows, longest, dtype),
        };
        Console.WriteLine($"decoding, {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))}, {dtype}, {rows} rows; {Machine.Describe()}");
        Console.WriteLine($"| cache | cached tokens | tokens per second and row | ms for a token | ms for {DraftLength} tokens at once | ms for a reordering of beams | memory, MB |");
        Console.WriteLine("|-|-|-|-|-|-|-|");
        foreach (int length in lengths)
        {
            foreach (var (name, make) in caches)
            {
                using KeyValueCache cache = make();
                while (cache.Length < length) Step(model, cache, rows, Math.Min(PromptChunk, length - cache.Length));
                double one = LowerQuartile(tokens, () => Step(model, cache, rows, 1));
                double several = LowerQuartile(tokens, () => Step(model, cache, rows, DraftLength));
                using Tensor shifted = arange(rows, ScalarType.Int64).roll(1);
                double reordering = LowerQuartile(tokens, () => cache.Reorder(shifted));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {name} | {length} | {1000 / one:F1} | {one:F2} | {several:F2} | {reordering:F2} | {cache.AllocatedBytes / 1e6:F1} |"));
            }
        }
    }

    private static double LowerQuartile(int count, Action action)
    {
        for (int round = 0; round < WarmUps; round++) action();
        double[] milliseconds = new double[count];
        for (int round = 0; round < count; round++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            milliseconds[round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(milliseconds);
        return milliseconds[count / 4];
    }

    private static void Step(CausalLanguageModel model, KeyValueCache cache, int rows, int length)
    {
        using Tensor ids = randint(3, model.Config.VocabularySize, [rows, length]);
        model.Forward(new DecoderInput { InputIds = ids, Cache = cache }, logitsToKeep: 1).Dispose();
    }
}
