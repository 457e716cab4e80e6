using Microsoft.ML.SearchSpace;

namespace MLComponents.Trainers;

/// <summary>How a sequence classifier is trained and how it scores afterwards.</summary>
public sealed class SequenceClassificationOptions : FineTuningOptions
{
    /// <summary>What is measured of texts with one label each.</summary>
    internal static readonly ValidationMetric[] SingleLabelMetrics = [ValidationMetric.LogLoss, ValidationMetric.MicroAccuracy, ValidationMetric.MacroAccuracy];

    /// <summary>What is measured of texts with any number of labels.</summary>
    internal static readonly ValidationMetric[] MultiLabelMetrics = [ValidationMetric.LogLoss, ValidationMetric.MicroF1, ValidationMetric.MacroF1, ValidationMetric.ExactMatch];

    /// <summary>
    /// How much each label counts in the loss, by its name; labels that are not named count 1. <see langword="null"/> (the default): all the same.
    /// </summary>
    public IReadOnlyDictionary<string, double>? ClassWeights { get; set; }

    /// <summary>Whether labels count inversely to how many rows have them, so that rare ones are not drowned. Not together with <see cref="ClassWeights"/>. Default <see langword="false"/>.</summary>
    [BooleanChoice]
    public bool BalanceClasses { get; set; }

    /// <summary>
    /// The part of a row's probability, 0 to below 1, that is spread over all labels, so that the model does not become too sure of itself (Szegedy et al. 2016).
    /// Not together with <see cref="FocalGamma"/>. Default 0.
    /// </summary>
    [Range(0d, 0.2d, init: 0d)]
    public double LabelSmoothing { get; set; }

    /// <summary>
    /// How much rows that are right already are disregarded, at least 0: a row's loss is multiplied by (1 − p)ᵞ, where p is the probability of its label (focal loss, Lin et al. 2017; there 2).
    /// Default 0.
    /// </summary>
    public double FocalGamma { get; set; }

    /// <summary>
    /// The text column of the second texts, where pairs are classified, such as premise and hypothesis: the model reads a text and then its second one, joined as the tokenizer joins a pair. Where
    /// that puts nothing between them, the log warns: write pairs with <c>FormatPrompt</c> then. Of a pair that is too long, the longer text is cut first.
    /// <see langword="null"/> (the default): single texts.
    /// </summary>
    public string? TextPairColumnName { get; set; }

    /// <summary>The output column of the predicted label. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The output column of the scores. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The output column of the probability. Default "Probability".</summary>
    public string ProbabilityColumnName { get; set; } = "Probability";

    internal override IReadOnlyList<ValidationMetric> Metrics { get; } = [.. SingleLabelMetrics.Union(MultiLabelMetrics)];

    internal override SequenceClassificationOptions Copy()
    {
        var copy = (SequenceClassificationOptions)base.Copy();
        if (ClassWeights is not null) copy.ClassWeights = new Dictionary<string, double>(ClassWeights);
        return copy;
    }

    internal override void Check()
    {
        base.Check();
        Require(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing, "0 to below 1");
        Require(FocalGamma is >= 0 and < double.PositiveInfinity, nameof(FocalGamma), FocalGamma, "at least 0");
        if (LabelSmoothing > 0 && FocalGamma > 0)
            throw new ArgumentException($"{nameof(LabelSmoothing)} {LabelSmoothing} and {nameof(FocalGamma)} {FocalGamma} exclude each other: set one of them.");
        if (ClassWeights is not null && BalanceClasses)
            throw new ArgumentException($"{nameof(ClassWeights)} and {nameof(BalanceClasses)} exclude each other: set one of them.");
        foreach ((string label, double weight) in ClassWeights ?? new Dictionary<string, double>())
            Require(weight is >= 0 and < double.PositiveInfinity, $"{nameof(ClassWeights)}['{label}']", weight, "at least 0");
    }
}
