using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Trainers;

/// <summary>What a run has reported: every step and every validation. A run that goes on from a checkpoint keeps what came before it.</summary>
/// <remarks>Set <see cref="FineTuningOptions.History"/> to a new one and read it when training has ended.</remarks>
public sealed class TrainingHistory
{
    private readonly List<TrainingProgress> _all = [];

    /// <summary>The steps, in their order.</summary>
    public IReadOnlyList<TrainingProgress> Steps => [.. _all.Where(report => report.Validation is null)];

    /// <summary>The validations, in their order.</summary>
    public IReadOnlyList<TrainingProgress> Validations => [.. _all.Where(report => report.Validation is not null)];

    internal IReadOnlyList<TrainingProgress> All => _all;

    /// <summary>One row per report.</summary>
    /// <param name="mlContext">The environment.</param>
    /// <returns>
    /// The columns Epoch (Int32), Step (Int64), Loss, LearningRate, GradientNorm, TokensPerSecond, Seconds (Double), and Validation, a vector of Double with the metrics'
    /// names as its slot names, NaN in the rows of steps.
    /// </returns>
    public IDataView ToDataView(MLContext mlContext)
    {
        ArgumentNullException.ThrowIfNull(mlContext);
        string[] metrics = [.. _all.SelectMany(report => report.Validation?.Metrics.Keys ?? []).Distinct()];
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Validation)].ColumnType = new VectorDataViewType(NumberDataViewType.Double, Math.Max(1, metrics.Length));
        if (metrics.Length > 0)
        {
            var names = new VBuffer<ReadOnlyMemory<char>>(metrics.Length, Array.ConvertAll(metrics, name => name.AsMemory()));
            schema[nameof(Row.Validation)].AddAnnotation("SlotNames", names, new VectorDataViewType(TextDataViewType.Instance, metrics.Length));
        }

        return mlContext.Data.LoadFromEnumerable(
            _all.Select(report => new Row
            {
                Epoch = report.Epoch,
                Step = report.Step,
                Loss = report.Loss,
                LearningRate = report.LearningRate,
                GradientNorm = report.GradientNorm,
                TokensPerSecond = report.TokensPerSecond,
                Seconds = report.Elapsed.TotalSeconds,
                Validation = metrics.Length == 0 ? [double.NaN] : Array.ConvertAll(metrics, name => report.Validation?.Metrics.GetValueOrDefault(name, double.NaN) ?? double.NaN),
            }).ToArray(),
            schema);
    }

    /// <summary>A picture of the run: losses of steps and epochs, and the metrics of validations, each over the steps.</summary>
    /// <param name="width">In pixels, at least 200.</param>
    /// <param name="height">Of each panel, in pixels, at least 100.</param>
    /// <returns>A whole SVG document.</returns>
    public string ToSvg(int width = 720, int height = 240)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 200);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 100);
        return HistoryPlot.Draw(this, width, height);
    }

    internal void Add(TrainingProgress report) => _all.Add(report);

    internal void Set(IEnumerable<TrainingProgress> reports)
    {
        _all.Clear();
        _all.AddRange(reports);
    }

    private sealed class Row
    {
        public int Epoch { get; set; }

        public long Step { get; set; }

        public double Loss { get; set; }

        public double LearningRate { get; set; }

        public double GradientNorm { get; set; }

        public double TokensPerSecond { get; set; }

        public double Seconds { get; set; }

        public double[] Validation { get; set; } = [];
    }
}
