namespace MLComponents.Trainers;

/// <summary>How a token classifier is trained and how it scores afterwards.</summary>
/// <remarks>
/// A text of more tokens than <see cref="FineTuningOptions.MaxLength"/> is read in several windows, in training as in scoring: nothing is cut, and
/// <see cref="FineTuningOptions.TruncationSide"/> is of no consequence. <see cref="FineTuningOptions.BatchSize"/> counts windows.
/// </remarks>
public sealed class TokenClassificationOptions : FineTuningOptions
{
    private static readonly ValidationMetric[] s_metrics = [ValidationMetric.LogLoss, ValidationMetric.F1, ValidationMetric.TokenAccuracy];

    /// <summary>Where the text is whole: the column with the places where the entities begin, a vector of Int32 that counts UTF-16 characters from 0. Default "SpanStart".</summary>
    public string SpanStartColumnName { get; set; } = "SpanStart";

    /// <summary>Where the text is whole: the column with the entities' lengths, a vector of Int32 that counts UTF-16 characters. Default "SpanLength".</summary>
    public string SpanLengthColumnName { get; set; } = "SpanLength";

    /// <summary>How many tokens of the model a window shares with the one before, at least 0. <see langword="null"/> (the default): a quarter of the longest length.</summary>
    public int? Stride { get; set; }

    /// <summary>The output column of the predicted labels. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The output column of the probabilities of the predicted labels. Default "Probability".</summary>
    public string ProbabilityColumnName { get; set; } = "Probability";

    /// <summary>The output column of the words of a whole text. Default "Token".</summary>
    public string TokenColumnName { get; set; } = "Token";

    /// <summary>The output column of the entities, and the beginning of the names of those that describe them. Default "Entity".</summary>
    public string EntityColumnName { get; set; } = "Entity";

    internal override IReadOnlyList<ValidationMetric> Metrics => s_metrics;

    internal override TokenClassificationOptions Copy() => (TokenClassificationOptions)base.Copy();

    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(SpanStartColumnName);
        ArgumentException.ThrowIfNullOrEmpty(SpanLengthColumnName);
    }
}
