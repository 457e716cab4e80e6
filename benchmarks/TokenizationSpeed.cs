using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using MLComponents.Tokenization;

namespace MLComponents.Benchmarks;

/// <summary>
/// Loading a tokenizer.json, and encoding a corpus paragraph by paragraph with it: to ids, to everything, on one thread and on all
/// cores; where it is byte-level BPE beside the BpeTokenizer of Microsoft.ML.Tokenizers over the same vocabulary, merges and pattern.
/// </summary>
internal static class TokenizationSpeed
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static void Run(string[] tokenizers, string corpora, int rounds)
    {
        (string Name, string[] Paragraphs)[] texts = [.. ReadCorpora(corpora)];
        Console.WriteLine($"{Machine.Describe()}; medians of {rounds} rounds, MB of UTF-8");
        foreach (string path in tokenizers)
        {
            PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(path);
            double[] loads = [.. Enumerable.Range(0, rounds).Select(_ => ProcessorSeconds(() => PretrainedTokenizer.Load(path)))];
            Tokenizer? theirs = Theirs(tokenizer);
            Console.WriteLine($"\n{Path.GetFileName(path)}: {tokenizer.VocabularySize} tokens, loaded in {Median(loads):F3} s of processor time");
            Console.WriteLine("| corpus | way | one thread, MB per second of processor time | all cores, MB/s | bytes allocated per token | ratio to BpeTokenizer, one thread / all cores |");
            Console.WriteLine("|-|-|-|-|-|-|");
            foreach ((string name, string[] paragraphs) in texts) Measure(name, paragraphs, tokenizer, theirs, rounds);
        }
    }

    private static void Measure(string corpus, string[] paragraphs, PretrainedTokenizer tokenizer, Tokenizer? theirs, int rounds)
    {
        double megabytes = paragraphs.Sum(text => System.Text.Encoding.UTF8.GetByteCount(text)) / 1e6;
        var ways = new List<(string Name, Func<string, int> Encode, Action All)>
        {
            ("EncodeIds", text => tokenizer.EncodeIds(text).Length, () => tokenizer.EncodeIdsBatch(paragraphs)),
            ("Encode", text => tokenizer.Encode(text).Ids.Count, () => tokenizer.EncodeBatch(paragraphs.Select(text => (EncodeInput)text))),
        };
        if (theirs is not null)
            ways.Add(("BpeTokenizer.EncodeToIds", text => theirs.EncodeToIds(text).Count, () => Parallel.For(0, paragraphs.Length, index => theirs.EncodeToIds(paragraphs[index]))));
        foreach ((_, Func<string, int> encode, Action all) in ways)
        {
            foreach (string text in paragraphs) encode(text); // compiled, caches filled
            all();
        }

        var one = ways.ConvertAll(_ => new List<double>());
        var many = ways.ConvertAll(_ => new List<double>());
        var allocated = new double[ways.Count];
        for (int round = 0; round < rounds; round++)
        {
            for (int way = 0; way < ways.Count; way++)
            {
                Func<string, int> encode = ways[way].Encode;
                long tokens = 0, before = GC.GetAllocatedBytesForCurrentThread();
                one[way].Add(megabytes / ProcessorSeconds(() =>
                {
                    foreach (string text in paragraphs) tokens += encode(text);
                }));
                allocated[way] = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)tokens;
                many[way].Add(megabytes / Seconds(ways[way].All));
            }
        }

        for (int way = 0; way < ways.Count; way++)
        {
            string ratio = theirs is null ? "" : $"{Median(one[way]) / Median(one[^1]):F2} / {Median(many[way]) / Median(many[^1]):F2}";
            Console.WriteLine($"| {corpus}, {megabytes:F1} MB | {ways[way].Name} | {Median(one[way]):F1} | {Median(many[way]):F1} | {allocated[way]:F1} | {ratio} |");
        }
    }

    // The same vocabulary, merges and pattern; null where it is no byte-level BPE.
    private static BpeTokenizer? Theirs(PretrainedTokenizer tokenizer)
    {
        using JsonDocument document = JsonDocument.Parse(tokenizer.Files["tokenizer.json"]);
        JsonElement model = document.RootElement.GetProperty("model");
        string preTokenizer = document.RootElement.GetProperty("pre_tokenizer").GetRawText();
        if (!model.TryGetProperty("merges", out JsonElement merges) || !preTokenizer.Contains("ByteLevel")) return null;
        if (preTokenizer.Split("\"Regex\"").Length > 2) return null; // it knows one pattern only
        Match split = Regex.Match(preTokenizer, "\"Regex\":\\s*(\"(?:[^\"\\\\]|\\\\.)*\")");
        string pattern = split.Success ? JsonSerializer.Deserialize<string>(split.Groups[1].Value)! : Gpt2;
        pattern = pattern.Replace("?+", "?").Replace("++", "+"); // possessive, which .NET does not know
        var options = new BpeOptions(model.GetProperty("vocab").EnumerateObject().Select(entry => KeyValuePair.Create(entry.Name, entry.Value.GetInt32())))
        {
            Merges = merges.EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0]} {merge[1]}").ToArray(),
            PreTokenizer = new RegexPreTokenizer(new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant), null),
            ByteLevel = true,
        };
        return BpeTokenizer.Create(options);
    }

    private static IEnumerable<(string Name, string[] Paragraphs)> ReadCorpora(string path)
    {
        foreach (string file in Directory.EnumerateFiles(path, "*.*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (file.EndsWith("input.txt", StringComparison.Ordinal))
                yield return (Path.GetFileName(Path.GetDirectoryName(file)!), Paragraphs(File.ReadAllText(file)));
            if (!file.EndsWith(".zip", StringComparison.Ordinal)) continue;
            using ZipArchive archive = ZipFile.OpenRead(file);
            var texts = new List<string>();
            foreach (ZipArchiveEntry entry in archive.Entries.Where(entry => entry.Name.EndsWith(".txt", StringComparison.Ordinal)))
            {
                using var reader = new StreamReader(entry.Open());
                texts.AddRange(Paragraphs(reader.ReadToEnd()));
            }

            if (texts.Count > 0) yield return (Path.GetFileNameWithoutExtension(file), [.. texts]);
        }
    }

    private static string[] Paragraphs(string text) => text.Replace("\r\n", "\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries);

    // Processor time: what else runs on a shared machine does not count.
    private static double ProcessorSeconds(Action action)
    {
        using var process = Process.GetCurrentProcess();
        TimeSpan before = process.TotalProcessorTime;
        action();
        process.Refresh();
        return (process.TotalProcessorTime - before).TotalSeconds;
    }

    private static double Seconds(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
