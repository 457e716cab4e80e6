using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Trainers;

namespace MLComponents.Benchmarks;

/// <summary>Texts of which each has one label: accuracy beside maximum entropy on what FeaturizeText makes of them.</summary>
internal abstract class TopicTask : QualityTask
{
    /// <summary>Adds the columns Text and Name, of which the label is made.</summary>
    protected virtual EstimatorChain<ITransformer> Prepare(MLContext ml) => new();

    protected override IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run) =>
        Labelled(ml).Append(ml.MulticlassClassification.Trainers.SequenceClassification("Label", "Text", run.Apply(new SequenceClassificationOptions())));

    protected override IEstimator<ITransformer> Baseline(MLContext ml) =>
        Labelled(ml).Append(ml.Transforms.Text.FeaturizeText("Features", "Text")).Append(ml.MulticlassClassification.Trainers.SdcaMaximumEntropy());

    protected override string Measure(MLContext ml, ITransformer fitted, IDataView test)
    {
        MulticlassClassificationMetrics metrics = ml.MulticlassClassification.Evaluate(fitted.Transform(test));
        return $"accuracy {metrics.MicroAccuracy:P2}, of labels {metrics.MacroAccuracy:P2}, log-loss {metrics.LogLoss:F3}";
    }

    private EstimatorChain<ITransformer> Labelled(MLContext ml) => Prepare(ml).Append<ITransformer>(ml.Transforms.Conversion.MapValueToKey("Label", "Name"));
}

/// <summary>Questions of a bank's customers, 77 intents.</summary>
internal sealed class Banking77 : TopicTask
{
    public override string Name => "banking77";

    internal static (IDataView Train, IDataView Test) Rows(MLContext ml, QualityRun run)
    {
        IDataView Part(string file) => Table(ml, Path.Combine(run.Data, "banking77", file), ',', true, ("Text", DataKind.String), ("Name", DataKind.String));
        return (Limit(ml, Part("train.csv"), run), Part("test.csv"));
    }

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run) => Rows(ml, run);
}

/// <summary>Sentences of film reviews, for or against; a fifth of them, drawn by the seed, is the test.</summary>
internal sealed class SentencePolarity : TopicTask
{
    public override string Name => "sentence_polarity";

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        using var archive = System.IO.Compression.ZipFile.OpenRead(Path.Combine(run.Data, "movie_reviews", "sentence_polarity.zip"));
        var rows = new List<Named>();
        foreach (string kind in new[] { "pos", "neg" })
        {
            using var reader = new StreamReader(archive.Entries.Single(entry => entry.Name == $"rt-polarity.{kind}").Open());
            while (reader.ReadLine() is { } line) rows.Add(new Named { Text = line.Trim(), Name = kind });
        }

        Named[] shuffled = [.. rows];
        new Random(run.Seed).Shuffle(shuffled);
        int train = shuffled.Length * 4 / 5;
        return (ml.Data.LoadFromEnumerable(shuffled.Take(Math.Min(train, run.Rows))), ml.Data.LoadFromEnumerable(shuffled.Skip(train)));
    }

    private sealed class Named
    {
        public string Text { get; set; } = "";

        public string Name { get; set; } = "";
    }
}

/// <summary>Issues of .NET's libraries, 22 areas; a fifth of them, drawn by the seed, is the test.</summary>
internal sealed class CorefxIssues : TopicTask
{
    public override string Name => "corefx_issues";

    protected override EstimatorChain<ITransformer> Prepare(MLContext ml) => base.Prepare(ml).Append<ITransformer>(ml.Transforms.Text.FormatPrompt("Text", "{Title}\n\n{Description}"));

    protected override (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run)
    {
        IDataView all = Table(ml, Path.Combine(run.Data, Name, "corefx-issues-train.tsv"), '\t', true, ("", DataKind.String), ("Name", DataKind.String), ("Title", DataKind.String), ("Description", DataKind.String));
        var split = ml.Data.TrainTestSplit(all, 0.2, seed: run.Seed);
        return (Limit(ml, split.TrainSet, run), split.TestSet);
    }
}
