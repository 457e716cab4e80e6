namespace MLComponents.Trainers;

/// <summary>What a model is worth on the validation rows after an epoch.</summary>
/// <param name="LogLoss">The mean cross-entropy per row, in nats, without class weights.</param>
/// <param name="MicroAccuracy">The share of right rows, 0 to 1.</param>
/// <param name="MacroAccuracy">The mean of the labels' shares of right rows over the labels that occur, 0 to 1.</param>
/// <param name="IsBest">Whether no earlier epoch was as good by the metric that is watched.</param>
public sealed record ValidationResult(double LogLoss, double MicroAccuracy, double MacroAccuracy, bool IsBest)
{
    /// <summary>The value of a metric, turned so that more is better.</summary>
    internal double Merit(ValidationMetric metric) => metric switch
    {
        ValidationMetric.LogLoss => -LogLoss,
        ValidationMetric.MicroAccuracy => MicroAccuracy,
        ValidationMetric.MacroAccuracy => MacroAccuracy,
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "Expected LogLoss, MicroAccuracy or MacroAccuracy."),
    };
}
