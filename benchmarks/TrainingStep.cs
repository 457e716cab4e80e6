using System.Globalization;
using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// One training step of a classifier (forward, loss, backward, clipping, AdamW) on random rows: the library's step in several forms against the same step written
/// plainly in TorchSharp, and the rate of plain matrix products. Every variant runs in a process of its own, in turn, so that its peak memory is its own.
/// </summary>
internal static class TrainingStep
{
    private const string Probe = "products";
    private const string Checkpointed = "-checkpointed";
    private const string Lora = "-lora";
    private const string NoStep = "-weights-only";

    private static readonly string[] s_variants =
    [
        "library-bfloat16-stochastic", "library-bfloat16-master", "library-bfloat16-stochastic" + Checkpointed, "library-bfloat16-stochastic" + NoStep,
        "library-bfloat16" + Lora, "library-float32", "plain-bfloat16", "plain-float32",
    ];

    /// <summary>Runs the variants in turn and prints the least of the rounds.</summary>
    public static void Compare(string model, int rows, int tokens, int steps, int rounds, int threads, string[] skipped)
    {
        string[] variants = [.. s_variants.Except(skipped)];
        var results = variants.ToDictionary(name => name, _ => new List<double[]>());
        double[] best = new double[4]; // float32 by the clock and by processor time, the faster of float32 and bfloat16 by both
        for (int round = 0; round < rounds; round++)
        {
            double[] rates = ChildProcess.Run("training-step-variant", Probe, model, $"{rows}", $"{tokens}", $"{steps}", $"{threads}");
            best = [.. best.Zip(rates, Math.Max)];
            foreach (string variant in variants)
                results[variant].Add(ChildProcess.Run("training-step-variant", variant, model, $"{rows}", $"{tokens}", $"{steps}", $"{threads}"));
        }

        double work = Work(DecoderConfig.Load(model), rows, tokens);
        Console.WriteLine($"one training step, {rows} x {tokens} tokens, {Path.GetFileName(model)}, {threads} threads; {Machine.Describe()}");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"products of 1024 x 1024 matrices, GFLOP/s by the clock / per second of one processor: float32 {best[0] / 1e9:F0} / {best[1] / 1e9:F0}, best {best[2] / 1e9:F0} / {best[3] / 1e9:F0}; the step has {work / 1e9:F0} GFLOP"));
        Console.WriteLine("| variant | seconds (least) | range of rounds | processor seconds (least) | share of the rate of products (float32's for float32, else the best), by the clock / by processor time | peak memory, GB | loss of the last step |");
        Console.WriteLine("|-|-|-|-|-|-|-|");
        foreach (string variant in variants)
        {
            double[] seconds = [.. results[variant].Select(r => r[0]).Order()];
            double processor = results[variant].Min(r => r[1]);
            double done = variant.Contains(Lora, StringComparison.Ordinal) ? work * 2 / 3 : work; // no gradients of weights
            int rate = variant.EndsWith("float32", StringComparison.Ordinal) ? 0 : 2;
            string share = variant.EndsWith(NoStep, StringComparison.Ordinal) ? "" : string.Create(CultureInfo.InvariantCulture, $"{done / seconds[0] / best[rate]:P0} / {done / processor / best[rate + 1]:P0}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {variant} | {seconds[0]:F3} | {seconds[0]:F3}-{seconds[^1]:F3} | {processor:F3} | {share} | {results[variant].Max(r => r[2]):F2} | {results[variant][^1][3]:F4} |"));
        }
    }

    /// <summary>One variant, in this process: reports seconds, processor seconds, peak memory and loss.</summary>
    public static void Run(string variant, string folder, int rows, int tokens, int steps, int threads)
    {
        manual_seed(1);
        set_num_threads(threads);
        if (variant == Probe)
        {
            MeasureProducts();
            return;
        }

        DecoderConfig config = DecoderConfig.Load(folder);
        Tensor ids = randint(3, config.VocabularySize, [rows, tokens]);
        Tensor last = full(rows, tokens - 1, dtype: ScalarType.Int64);
        Tensor labels = randint(0, 2, [rows]);
        Func<double> step = variant switch
        {
            "library-float32" or "library-bfloat16-master" or "library-bfloat16-stochastic" or "library-bfloat16-stochastic" + Checkpointed
                or "library-bfloat16-stochastic" + NoStep or "library-bfloat16" + Lora => Library(folder, config, variant, ids, last, labels),
            "plain-float32" => Plain(config, ScalarType.Float32, ids, last, labels),
            "plain-bfloat16" => Plain(config, ScalarType.BFloat16, ids, last, labels),
            _ => throw new ArgumentException($"Unknown variant '{variant}'; expected one of {string.Join(", ", s_variants)}."),
        };
        double loss = 0;
        Spent spent = Spent.Least(steps, () => loss = step());
        ChildProcess.Report(spent.Seconds, spent.ProcessorSeconds, Machine.PeakMemoryGigabytes(), loss);
    }

    private static void MeasureProducts()
    {
        const int size = 1024, times = 5, rounds = 8;
        double best = 0, bestOfProcessor = 0;
        var rates = new List<double>();
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Tensor left = randn(size, size).to(dtype), right = randn(size, size).to(dtype);
            Spent spent = Spent.Least(rounds, () =>
            {
                for (int i = 0; i < times; i++) left.matmul(right).Dispose();
            });
            double work = times * 2.0 * size * size * size;
            (best, bestOfProcessor) = (Math.Max(best, work / spent.Seconds), Math.Max(bestOfProcessor, work / spent.ProcessorSeconds));
            rates.AddRange([best, bestOfProcessor]);
        }

        ChildProcess.Report([.. rates]);
    }

    /// <summary>
    /// The floating-point operations that the library's step needs: three products for each matrix and for the scores and the mix of attention. Of the last layer, only
    /// keys and values of all tokens are needed.
    /// </summary>
    private static double Work(DecoderConfig config, int rows, int tokens)
    {
        double keysAndValues = 2.0 * config.HiddenSize * config.KeyValueHeadCount * config.HeadSize;
        double queriesAndOutput = 2.0 * config.HiddenSize * config.HeadCount * config.HeadSize;
        double matrices = (config.FeedForward == FeedForwardKind.Plain ? 2.0 : 3.0) * config.HiddenSize * config.IntermediateSize;
        double ofToken = (config.LayerCount * keysAndValues) + ((config.LayerCount - 1) * (queriesAndOutput + matrices + (2.0 * tokens * config.HeadCount * config.HeadSize)));
        return 3 * 2 * ofToken * rows * tokens;
    }

    private static Func<double> Library(string folder, DecoderConfig config, string variant, Tensor ids, Tensor last, Tensor labels)
    {
        ScalarType dtype = variant.Contains("bfloat16", StringComparison.Ordinal) ? ScalarType.BFloat16 : ScalarType.Float32;
        SequenceClassificationModel model = File.Exists(Path.Combine(folder, "model.safetensors"))
            ? SequenceClassificationModel.Load(folder, 2, dtype)
            : new SequenceClassificationModel(config, seed: 1, dtype);
        model.GradientCheckpointing = variant.EndsWith(Checkpointed, StringComparison.Ordinal);
        if (variant.EndsWith(Lora, StringComparison.Ordinal)) model.Adapters.Add(new LoraOptions { Rank = 8 });
        model.train();
        if (variant.EndsWith(NoStep, StringComparison.Ordinal)) return () => Idle(model, ids);
        var optimizer = new FusedAdamW([new ParameterGroup([.. model.parameters().Where(parameter => parameter.requires_grad)], 0.01)], masterWeights: variant.EndsWith("master", StringComparison.Ordinal));
        return () =>
        {
            using var scope = NewDisposeScope();
            using DifferentiatedOnce promise = DifferentiatedOnce.Promise(); // as training does
            Tensor loss = nn.functional.cross_entropy(model.ForwardPooled(ids, last).to_type(ScalarType.Float32), labels);
            loss.backward();
            optimizer.Step(5e-5, Math.Min(1, 1 / (optimizer.GradientNorm() + 1e-6)));
            optimizer.ZeroGradients();
            return loss.ToDouble();
        };
    }

    /// <summary>
    /// What a step holds besides activations: weights, gradients and the optimizer's states. What a step takes beyond it is the memory of activations, which
    /// checkpointing saves.
    /// </summary>
    private static double Idle(SequenceClassificationModel model, Tensor ids)
    {
        using var optimizer = new FusedAdamW([new ParameterGroup([.. model.parameters()], 0.01)], masterWeights: false);
        using var scope = NewDisposeScope();
        foreach (TorchSharp.Modules.Parameter parameter in model.parameters()) parameter.grad = zeros_like(parameter);
        optimizer.Step(0);
        optimizer.ZeroGradients();
        return ids.shape[0];
    }

    private static Func<double> Plain(DecoderConfig config, ScalarType dtype, Tensor ids, Tensor last, Tensor labels)
    {
        var model = new PlainClassifier(config, dtype);
        model.train();
        var optimizer = optim.AdamW(model.parameters(), lr: 5e-5, weight_decay: 0.01);
        return () =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            Tensor loss = nn.functional.cross_entropy(model.forward(ids, last).to_type(ScalarType.Float32), labels);
            loss.backward();
            nn.utils.clip_grad_norm_(model.parameters(), 1);
            optimizer.step();
            return loss.ToDouble();
        };
    }
}
