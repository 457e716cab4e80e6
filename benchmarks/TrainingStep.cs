using System.Diagnostics;
using System.Globalization;
using MLComponents.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// One training step of a classifier (forward, loss, backward, clipping, AdamW) on random rows: the library's bfloat16 step
/// against the same step written plainly in TorchSharp. Every variant runs in a process of its own, in turn, so that its peak
/// memory is its own.
/// </summary>
internal static class TrainingStep
{
    private static readonly string[] s_variants = ["library-bfloat16-master", "library-bfloat16-stochastic", "library-bfloat16-checkpointed", "plain-float32", "plain-bfloat16"];

    /// <summary>Runs the variants in turn and prints medians.</summary>
    public static void Compare(string model, int rows, int tokens, int steps, int rounds, string[] skipped)
    {
        string[] variants = [.. s_variants.Except(skipped)];
        var results = variants.ToDictionary(name => name, _ => new List<(double Seconds, double Gigabytes, double Loss)>());
        for (int round = 0; round < rounds; round++)
            foreach (string variant in variants)
                results[variant].Add(RunChild(variant, model, rows, tokens, steps));
        Console.WriteLine($"one training step, {rows} x {tokens} tokens, {Path.GetFileName(model)}; {Machine.Describe()}");
        Console.WriteLine("| variant | seconds (median of rounds) | range | peak memory, GB | loss of the last step |");
        Console.WriteLine("|-|-|-|-|-|");
        foreach (string variant in variants)
        {
            double[] seconds = [.. results[variant].Select(r => r.Seconds).Order()];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {variant} | {seconds[seconds.Length / 2]:F3} | {seconds[0]:F3}-{seconds[^1]:F3} | {results[variant].Max(r => r.Gigabytes):F2} | {results[variant][^1].Loss:F4} |"));
        }
    }

    /// <summary>One variant, in this process.</summary>
    public static void Run(string variant, string folder, int rows, int tokens, int steps)
    {
        manual_seed(1);
        set_num_threads(Environment.ProcessorCount);
        DecoderConfig config = DecoderConfig.Load(folder);
        Tensor ids = randint(3, config.VocabularySize, [rows, tokens]);
        Tensor last = full(rows, tokens - 1, dtype: ScalarType.Int64);
        Tensor labels = randint(0, 2, [rows]);
        Func<double> step = variant switch
        {
            "library-bfloat16-master" => Library(folder, ids, last, labels, masterWeights: true),
            "library-bfloat16-stochastic" => Library(folder, ids, last, labels, masterWeights: false),
            "library-bfloat16-checkpointed" => Library(folder, ids, last, labels, masterWeights: true, checkpointing: true),
            "plain-float32" => Plain(config, ScalarType.Float32, ids, last, labels),
            "plain-bfloat16" => Plain(config, ScalarType.BFloat16, ids, last, labels),
            _ => throw new ArgumentException($"Unknown variant '{variant}'; expected one of {string.Join(", ", s_variants)}."),
        };
        double loss = step();
        var seconds = new List<double>();
        for (int i = 0; i < steps; i++)
        {
            long start = Stopwatch.GetTimestamp();
            loss = step();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        seconds.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"RESULT {seconds[seconds.Count / 2]} {Machine.PeakMemoryGigabytes()} {loss}"));
    }

    private static Func<double> Library(string folder, Tensor ids, Tensor last, Tensor labels, bool masterWeights, bool checkpointing = false)
    {
        SequenceClassificationModel model = SequenceClassificationModel.Load(folder, 2, ScalarType.BFloat16);
        model.GradientCheckpointing = checkpointing;
        model.train();
        var optimizer = new FusedAdamW([new ParameterGroup([.. model.parameters()], 0.01)], masterWeights);
        return () =>
        {
            using var scope = NewDisposeScope();
            Tensor loss = nn.functional.cross_entropy(model.ForwardPooled(ids, last).to_type(ScalarType.Float32), labels);
            loss.backward();
            optimizer.Step(5e-5, Math.Min(1, 1 / (optimizer.GradientNorm() + 1e-6)));
            optimizer.ZeroGradients();
            return loss.ToDouble();
        };
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

    private static (double Seconds, double Gigabytes, double Loss) RunChild(string variant, string model, int rows, int tokens, int steps)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!,
            [typeof(TrainingStep).Assembly.Location, "training-step-variant", variant, model, $"{rows}", $"{tokens}", $"{steps}"]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        string text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        string result = text.Split('\n').SingleOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"The variant {variant} ended with code {child.ExitCode} and printed: {text}");
        double[] values = [.. result.Split(' ')[1..].Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
        return (values[0], values[1], values[2]);
    }
}
