using Microsoft.ML;
using MLComponents.Trainers;
using MLComponents.Transforms;

namespace MLComponents.Benchmarks;

/// <summary>Going on with pre-training on a text (plays of Shakespeare), of which the last tenth is measured before and after.</summary>
internal sealed class NextWords : QualityTask
{
    private const int Characters = 1500;

    public override string Name => "language-model";

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        string text = File.ReadAllText(Path.Combine(run.Data, "corpora", "tinyshakespeare", "input.txt"));
        Passage[] passages = [.. text.Chunk(Characters).Select(part => new Passage { Text = new string(part) })];
        int train = passages.Length * 9 / 10;
        IDataView test = ml.Data.LoadFromEnumerable(passages[train..]);
        if (run.Model is not null)
        {
            using CausalLanguageModelTransformer before = ml.Transforms.Text.TextLikelihood(run.Model, new() { EndOfText = false }).Fit(test);
            Console.WriteLine($"before training: {Measure(ml, before, test)}");
        }

        return (ml.Data.LoadFromEnumerable(passages[..Math.Min(train, run.Rows)]), test);
    }

    protected override IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run) => ml.Transforms.Text.CausalLanguageModel("Text", run.Apply(new CausalLanguageModelOptions { EndOfText = false }));

    protected override string Measure(MLContext ml, ITransformer fitted, IDataView test)
    {
        LanguageModelMetrics metrics = ml.Transforms.Text.EvaluateTextLikelihood(fitted.Transform(test));
        return $"{metrics.NegativeLogLikelihood:F4} nats a token, perplexity {metrics.Perplexity:F2}";
    }

    private sealed class Passage
    {
        public string Text { get; set; } = "";
    }
}
