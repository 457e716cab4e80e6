using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Benchmarks;

/// <summary>A public data set with its split, what is trained on it, and what it is compared with.</summary>
internal abstract class QualityTask
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<QualityTask> All { get; } = [new Banking77(), new SentencePolarity(), new GoEmotions(), new SemanticSimilarity(), new CorefxIssues(), new NextWords(), new IntentAnswers()];

    /// <summary>Its name on the command line, and of its folder.</summary>
    public abstract string Name { get; }

    /// <summary>Trains once per seed and prints a table's lines.</summary>
    public void Run(IEnumerable<QualityRun> runs)
    {
        Console.WriteLine($"{Name}; {Machine.Describe()}");
        foreach (QualityRun run in runs)
        {
            var ml = new MLContext(run.Seed);
            var (train, test) = Read(ml, run);
            var clock = Stopwatch.StartNew();
            ITransformer fitted = Trainer(ml, run).Fit(train);
            TimeSpan training = clock.Elapsed;
            clock.Restart();
            string measured = Measure(ml, fitted, test);
            string setting = $"{(run.Model is null ? "tiny decoder" : Path.GetFileName(run.Model))}, {run.Epochs} epochs, batch {run.BatchSize}, rate {run.LearningRate?.ToString(CultureInfo.InvariantCulture) ?? "default"}, {run.Precision}, {run.WeightUpdate}"
                + (run.LoraRank is { } rank ? $", LoRA of rank {rank}" : "") + (run.MaxLength is { } most ? $", at most {most} tokens" : "");
            Console.WriteLine($"| {Name} | {setting} | seed {run.Seed} | {measured} | trained in {training.TotalMinutes:F1} min, measured in {clock.Elapsed.TotalMinutes:F1} min |");
            (fitted as IDisposable)?.Dispose();
            if (Baseline(ml) is { } baseline) Console.WriteLine($"| {Name} | TF-IDF of words and characters, linear | seed {run.Seed} | {Measure(ml, baseline.Fit(train), test)} | |");
        }
    }

    /// <summary>The rows.</summary>
    protected abstract (IDataView Train, IDataView Test) Read(MLContext ml, QualityRun run);

    /// <summary>What is trained.</summary>
    protected abstract IEstimator<ITransformer> Trainer(MLContext ml, QualityRun run);

    /// <summary>How good it is on rows it has not seen.</summary>
    protected abstract string Measure(MLContext ml, ITransformer fitted, IDataView test);

    /// <summary>What a user of ML.NET would train instead, or null where there is nothing.</summary>
    protected virtual IEstimator<ITransformer>? Baseline(MLContext ml) => null;

    /// <summary>A table from a file.</summary>
    protected static IDataView Table(MLContext ml, string path, char separator, bool hasHeader, params (string Name, DataKind Kind)[] columns) =>
        ml.Data.LoadFromTextFile(path, new TextLoader.Options
        {
            HasHeader = hasHeader,
            Separators = [separator],
            AllowQuoting = separator == ',',
            ReadMultilines = separator == ',',
            Columns = [.. columns.Select((column, index) => new TextLoader.Column(column.Name, column.Kind, index)).Where(column => column.Name.Length > 0)],
        });

    /// <summary>At most as many rows as the run asks for.</summary>
    protected static IDataView Limit(MLContext ml, IDataView rows, QualityRun run) => ml.Data.TakeRows(rows, run.Rows);
}
