using Microsoft.ML;

namespace MLComponents.Trainers;

/// <summary>What is measured on the validation rows, to keep the best weights and to stop early.</summary>
public sealed class ValidationMetric
{
    private readonly Func<IDataView, double>? _evaluate;

    /// <summary>A metric of your own, such as one that ML.NET's evaluators compute.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="evaluate">
    /// Computes it from the validation set with the trainer's output columns: <c>scored => ml.MulticlassClassification.Evaluate(scored).TopKAccuracy</c>.
    /// </param>
    /// <param name="higherIsBetter">Whether a larger value is a better one.</param>
    public ValidationMetric(string name, Func<IDataView, double> evaluate, bool higherIsBetter = true)
        : this(name, higherIsBetter)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(evaluate);
        _evaluate = evaluate;
    }

    private ValidationMetric(string name, bool higherIsBetter) => (Name, HigherIsBetter) = (name, higherIsBetter);

    /// <summary>The mean cross-entropy per row (per labelled token, where tokens have labels), in nats, without class weights; lower is better.</summary>
    public static ValidationMetric LogLoss { get; } = new(nameof(LogLoss), higherIsBetter: false);

    /// <summary>The share of rows whose most probable label is right, 0 to 1.</summary>
    public static ValidationMetric MicroAccuracy { get; } = new(nameof(MicroAccuracy), higherIsBetter: true);

    /// <summary>The mean over the labels that occur of the share of their rows that is right, 0 to 1; every label counts the same.</summary>
    public static ValidationMetric MacroAccuracy { get; } = new(nameof(MacroAccuracy), higherIsBetter: true);

    /// <summary>The share of tokens whose label is right, 0 to 1.</summary>
    public static ValidationMetric TokenAccuracy { get; } = new(nameof(TokenAccuracy), higherIsBetter: true);

    /// <summary>The harmonic mean of precision and recall, 0 to 1: of entities, or of the words of answers.</summary>
    public static ValidationMetric F1 { get; } = new(nameof(F1), higherIsBetter: true);

    /// <summary>The share of answers that are right to the word, 0 to 1.</summary>
    public static ValidationMetric ExactMatch { get; } = new(nameof(ExactMatch), higherIsBetter: true);

    /// <summary>The harmonic mean of precision and recall over the decisions of all labels together, 0 to 1.</summary>
    public static ValidationMetric MicroF1 { get; } = new(nameof(MicroF1), higherIsBetter: true);

    /// <summary>The mean over the labels of their F1, 0 to 1; every label counts the same.</summary>
    public static ValidationMetric MacroF1 { get; } = new(nameof(MacroF1), higherIsBetter: true);

    /// <summary>The mean of the squared errors of a regression; lower is better.</summary>
    public static ValidationMetric MeanSquaredError { get; } = new(nameof(MeanSquaredError), higherIsBetter: false);

    /// <summary>The mean of the absolute errors of a regression; lower is better.</summary>
    public static ValidationMetric MeanAbsoluteError { get; } = new(nameof(MeanAbsoluteError), higherIsBetter: false);

    /// <summary>Pearson's correlation of the scores of a regression with the labels, -1 to 1; 0 where either is always the same.</summary>
    public static ValidationMetric PearsonCorrelation { get; } = new(nameof(PearsonCorrelation), higherIsBetter: true);

    /// <summary>Its name, by which <see cref="ValidationResult.Metrics"/> has its value.</summary>
    public string Name { get; }

    /// <summary>Whether a larger value is a better one.</summary>
    public bool HigherIsBetter { get; }

    /// <summary>Whether it is computed from scored rows by what the user has given.</summary>
    internal bool IsCustom => _evaluate is not null;

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    /// <summary>A value, turned so that more is better.</summary>
    internal double Merit(double value) => HigherIsBetter ? value : -value;

    /// <summary>Computes a metric of the user's own.</summary>
    internal double Evaluate(IDataView scored) => _evaluate!(scored);
}
