namespace MLComponents.Trainers;

/// <summary>How a sequence regression is trained and how it scores afterwards.</summary>
public sealed class SequenceRegressionOptions : FineTuningOptions
{
    private static readonly ValidationMetric[] s_metrics = [ValidationMetric.MeanSquaredError, ValidationMetric.MeanAbsoluteError, ValidationMetric.PearsonCorrelation];

    /// <summary>
    /// The text column of the second texts, where pairs have a number, such as the similarity of two sentences: the model reads a text and then its second one, joined as the tokenizer joins a pair. Where
    /// that puts nothing between them, the log warns: write pairs with <c>FormatPrompt</c> then. Of a pair that is too long, the longer text is cut first.
    /// <see langword="null"/> (the default): single texts.
    /// </summary>
    public string? TextPairColumnName { get; set; }

    /// <summary>The output column of the score. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    internal override IReadOnlyList<ValidationMetric> Metrics => s_metrics;

    internal override SequenceRegressionOptions Copy() => (SequenceRegressionOptions)base.Copy();

    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(ScoreColumnName);
    }
}
