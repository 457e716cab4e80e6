using System.Globalization;
using MLComponents.Models;
using MLComponents.Transforms;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// The gradients of a batch of texts of mixed lengths: padded into one batch, in padded batches of like length, or laid out behind each other. All ways run in turn in
/// one process, so that processor seconds compare beside other work; what the optimizer does afterwards is the same for all.
/// </summary>
internal static class MixedLengths
{
    /// <summary>Runs the ways in turn and prints the least and the median of the rounds.</summary>
    public static void Compare(string folder, int rows, int rounds, int threads, ScalarType dtype)
    {
        manual_seed(1);
        set_num_threads(threads);
        DecoderConfig config = DecoderConfig.Load(folder);
        using SequenceClassificationModel model = File.Exists(Path.Combine(folder, "model.safetensors"))
            ? SequenceClassificationModel.Load(folder, 2, dtype)
            : new SequenceClassificationModel(config, seed: 1, dtype);
        model.train();
        int[][] texts = Texts(rows, config.VocabularySize);
        int[] lengths = [.. texts.Select(text => text.Length)];
        Tensor labels = randint(0, 2, [rows]);
        using var optimizer = new FusedAdamW([new ParameterGroup([.. model.parameters()], 0.01)], masterWeights: true);

        double Gradients(IReadOnlyList<int[]> batches, Func<int[], IReadOnlyList<int[]>> groupsOf)
        {
            double loss = 0;
            foreach (int[] batch in batches)
            {
                using var scope = NewDisposeScope();
                int[][] some = [.. batch.Select(text => texts[text])];
                var layout = new TextLayout([.. some.Select(text => text.Length)], groupsOf([.. some.Select(text => text.Length)]));
                using TextBatch read = TextBatch.OfIds(some, layout, config.PadTokenId ?? 0, CPU);
                Tensor logits = model.Score(read, [.. some.Select(text => text.Length - 1)]).to_type(ScalarType.Float32);
                Tensor share = nn.functional.cross_entropy(logits, labels.index_select(0, tensor(batch.Select(text => (long)text).ToArray())), reduction: nn.Reduction.Sum) / rows;
                share.backward();
                loss += share.ToDouble();
            }

            return loss;
        }

        IReadOnlyList<int[]> all = LengthBatches.Plan(lengths, rows, int.MaxValue);
        IReadOnlyList<int[]> Padded(int[] some) => [[.. Enumerable.Range(0, some.Length)]];
        (string Name, Func<double> Run)[] ways =
        [
            ("padded into one batch", () => Gradients(all, Padded)),
            ("padded batches of like length (a batch costs 64 tokens)", () => Gradients(LengthBatches.Plan(lengths, rows, int.MaxValue, 64), Padded)),
            .. from cost in (int[])[1, 2, 4, 8, 16]
               select ($"laid out (a group costs {cost} tokens: {LengthBatches.Plan(lengths, rows, int.MaxValue, cost).Count} groups)", (Func<double>)(() => Gradients(all, some => LengthBatches.Plan(some, rows, int.MaxValue, cost)))),
        ];
        Func<double> laidOut = () => Gradients(all, some => LengthBatches.Plan(some, rows, int.MaxValue, 1));
        var embedding = new RowGradient(model.Decoder.EmbeddingWeight);
        using var byRows = new FusedAdamW([new ParameterGroup([.. model.parameters()], 0.01)], masterWeights: true);
        byRows.Use(embedding);
        (string Name, Func<double> Run)[] rest =
        [
            ("the norm of the gradients", () => optimizer.GradientNorm()),
            ("the optimizer (AdamW, master weights)", () => { optimizer.Step(1e-9); return 0; }),
        ];
        (string Name, Func<double> Run)[] steps =
        [
            ("a whole step laid out, the embedding's gradient a matrix", () => Step(optimizer, null)),
            ("a whole step laid out, the embedding's gradient the rows that are read", () => Step(byRows, embedding)),
        ];

        double Step(Models.Optimizer chosen, RowGradient? taken)
        {
            model.Decoder.EmbeddingGradient = taken;
            double loss = laidOut();
            chosen.Step(1e-9, Math.Min(1, 1 / (chosen.GradientNorm() + 1e-6)));
            chosen.ZeroGradients();
            model.Decoder.EmbeddingGradient = null;
            return loss;
        }

        Console.WriteLine($"gradients of {rows} texts of {lengths.Min()} to {lengths.Max()} tokens, {lengths.Sum()} in all, {Path.GetFileName(folder)}, {dtype}, {threads} threads; {Machine.Describe()}");
        Console.WriteLine("| way | processor seconds: least | median | of the first way, by the least / median | seconds (least) | loss |");
        Console.WriteLine("|-|-|-|-|-|-|");
        var spent = ways.Concat(rest).Concat(steps).ToDictionary(way => way.Name, _ => new List<Spent>());
        var losses = new Dictionary<string, double>();
        for (int round = -1; round < rounds; round++)
        {
            foreach ((string name, Func<double> run) in ways.Concat(rest).Concat(steps))
            {
                if (rest.All(way => way.Name != name)) optimizer.ZeroGradients();
                Spent once = Spent.Of(() => losses[name] = run());
                if (round >= 0) spent[name].Add(once);
            }
        }

        (double first, double median) = (spent[ways[0].Name].Min(s => s.ProcessorSeconds), Median(spent[ways[0].Name]));
        foreach ((string name, _) in ways.Concat(rest).Concat(steps))
        {
            double least = spent[name].Min(s => s.ProcessorSeconds), middle = Median(spent[name]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {least:F3} | {middle:F3} | {least / first:F2} / {middle / median:F2} | {spent[name].Min(s => s.Seconds):F3} | {losses[name]:F4} |"));
        }
    }

    /// <summary>Random texts of 5 to 40 tokens, most of them short: 14 on average.</summary>
    private static int[][] Texts(int rows, int vocabularySize)
    {
        const int shortest = 5, longest = 40;
        const double spread = 9.7;
        var random = new Random(1);
        return [.. Enumerable.Range(0, rows).Select(row =>
        {
            int length = Math.Min(longest, shortest + (int)(-spread * Math.Log(1 - ((row + 0.5) / rows))));
            return Enumerable.Range(0, length).Select(_ => random.Next(3, vocabularySize)).ToArray();
        })];
    }

    private static double Median(List<Spent> spent) => spent.Select(s => s.ProcessorSeconds).Order().ElementAt(spent.Count / 2);
}
