namespace MLComponents.Trainers;

/// <summary>How a sequence regression is trained and how it scores afterwards.</summary>
public sealed class SequenceRegressionOptions : FineTuningOptions
{
    private static readonly ValidationMetric[] s_metrics = [ValidationMetric.MeanSquaredError, ValidationMetric.MeanAbsoluteError, ValidationMetric.PearsonCorrelation];

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
