using System.Globalization;
using System.Text;
using MLComponents.Models;
using MLComponents.Trainers;
using static TorchSharp.torch;

namespace MLComponents.Benchmarks;

/// <summary>
/// The comparison that the page of GPT-NeoX in Hugging Face's documentation makes: eager against fused attention, one row, in training (forward, loss of the next tokens,
/// backward) and inference, by number of tokens. Pythia-70M's shapes with random weights. Every figure is from a process of its own.
/// </summary>
internal static class AttentionTable
{
    private const string Pythia70M =
        """
        {
          "model_type": "gpt_neox", "vocab_size": 50304, "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 6, "num_attention_heads": 8,
          "max_position_embeddings": 2048, "rotary_pct": 0.25, "rotary_emb_base": 10000, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "use_parallel_residual": true,
          "tie_word_embeddings": false, "initializer_range": 0.02, "bos_token_id": 0, "eos_token_id": 0
        }
        """;

    /// <summary>Prints the table.</summary>
    /// <param name="lengths">Tokens of the row.</param>
    /// <param name="steps">Steps of a process, of which the fastest counts.</param>
    /// <param name="rounds">Processes, of which the fastest counts.</param>
    /// <param name="threads">Threads of libtorch.</param>
    /// <param name="plot">A file that takes the table as a drawing, or null.</param>
    public static void Compare(int[] lengths, int steps, int rounds, int threads, string? plot)
    {
        List<LinePlot> panels = [];
        Console.WriteLine($"Pythia-70M's shapes, one row, {threads} threads; {Machine.Describe()}");
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            Console.WriteLine();
            Console.WriteLine($"| {precision}: tokens | training eager, s | sdpa, s | speed | inference eager, s | sdpa, s | speed | peak of training eager, GB | sdpa, GB | processor seconds of training eager | sdpa | of inference eager | sdpa |");
            Console.WriteLine("|-|-|-|-|-|-|-|-|-|-|-|-|-|");
            List<(long, double)>[] lines = [[], [], [], [], [], []];
            foreach (int tokens in lengths)
            {
                double[] Measure(AttentionImplementation attention, bool trains)
                {
                    double[][] all = [.. Enumerable.Range(0, rounds).Select(_ => ChildProcess.Run("attention-variant", $"{precision}", $"{attention}", $"{trains}", $"{tokens}", $"{steps}", $"{threads}"))];
                    return [all.Min(r => r[0]), all.Min(r => r[1]), all.Max(r => r[2])];
                }

                double[] eager = Measure(AttentionImplementation.Eager, trains: true), fused = Measure(AttentionImplementation.ScaledDotProduct, trains: true);
                double[] eagerInference = Measure(AttentionImplementation.Eager, trains: false), fusedInference = Measure(AttentionImplementation.ScaledDotProduct, trains: false);
                foreach ((List<(long, double)> line, double value) in lines.Zip([eager[0], fused[0], eagerInference[0], fusedInference[0], eager[2], fused[2]])) line.Add((tokens, value));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {tokens} | {eager[0]:F3} | {fused[0]:F3} | {eager[0] / fused[0]:F2} | {eagerInference[0]:F3} | {fusedInference[0]:F3} | {eagerInference[0] / fusedInference[0]:F2} | {eager[2]:F2} | {fused[2]:F2} | {eager[1]:F3} | {fused[1]:F3} | {eagerInference[1]:F3} | {fusedInference[1]:F3} |"));
            }

            string[] titles = ["seconds of a training step", "seconds of inference", "GB of memory in training, at most"];
            panels.AddRange(titles.Select((title, index) => new LinePlot($"{precision}: {title}", [new("#d94801", true, lines[2 * index], "eager"), new("#08519c", true, lines[(2 * index) + 1], "sdpa")])));
        }

        if (plot is not null) File.WriteAllText(plot, LinePlot.Draw(panels, "tokens", 560, 220, startsAtZero: true));
    }

    /// <summary>One figure, in this process: reports seconds, processor seconds and peak memory.</summary>
    public static void Run(Precision precision, AttentionImplementation attention, bool trains, int tokens, int steps, int threads)
    {
        manual_seed(1);
        set_num_threads(threads);
        DecoderConfig config = DecoderConfig.Parse(Encoding.UTF8.GetBytes(Pythia70M));
        using var model = new CausalLanguageModel(config, seed: 1, precision == Precision.Float32 ? ScalarType.Float32 : ScalarType.BFloat16, attention: attention);
        Tensor ids = randint(1, config.VocabularySize, [1, tokens]);
        if (trains) model.train();
        else model.eval();
        Spent spent = Spent.Least(steps, trains ? Train : Infer);
        ChildProcess.Report(spent.Seconds, spent.ProcessorSeconds, Machine.PeakMemoryGigabytes());

        void Train()
        {
            using var scope = NewDisposeScope();
            using DifferentiatedOnce promise = DifferentiatedOnce.Promise(); // as training does
            model.Loss(new DecoderInput { InputIds = ids }, ids).backward();
            foreach (TorchSharp.Modules.Parameter parameter in model.parameters()) parameter.grad = null;
        }

        void Infer()
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            using CausalLanguageModelOutput output = model.Forward(new DecoderInput { InputIds = ids });
        }
    }
}
