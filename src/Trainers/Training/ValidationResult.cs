namespace MLComponents.Trainers;

/// <summary>What a model is worth on the validation rows.</summary>
/// <param name="Metrics">The value of each metric of the trainer, by its name.</param>
/// <param name="IsBest">Whether no earlier validation was as good by the metric that is watched.</param>
public sealed record ValidationResult(IReadOnlyDictionary<string, double> Metrics, bool IsBest)
{
    /// <summary>The value of a metric.</summary>
    /// <param name="metric">One that the trainer measures.</param>
    /// <exception cref="KeyNotFoundException">The trainer does not measure it.</exception>
    public double this[ValidationMetric metric]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(metric);
            return Metrics.TryGetValue(metric.Name, out double value)
                ? value
                : throw new KeyNotFoundException($"{metric} is not measured by this trainer; measured are {string.Join(", ", Metrics.Keys)}.");
        }
    }
}
