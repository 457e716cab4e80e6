namespace MLComponents.Trainers;

/// <summary>How question answering is trained and how it answers afterwards.</summary>
/// <remarks>
/// A context of more tokens than fit <see cref="FineTuningOptions.MaxLength"/> (of question and context together; by default 384, or the model's context
/// length where that is less) is read in several windows, in training as in scoring, and <see cref="FineTuningOptions.TruncationSide"/> is of no
/// consequence. <see cref="FineTuningOptions.BatchSize"/> counts windows.
/// </remarks>
public sealed class QuestionAnsweringOptions : FineTuningOptions
{
    private static readonly ValidationMetric[] s_metrics = [ValidationMetric.LogLoss, ValidationMetric.F1, ValidationMetric.ExactMatch];

    /// <summary>How many answers are given, at least 1. Default 3.</summary>
    public int TopK { get; set; } = 3;

    /// <summary>Most tokens of an answer that is given, at least 1. Default 30.</summary>
    public int MaxAnswerLength { get; set; } = 30;

    /// <summary>Most tokens of a question, at least 1; longer ones are cut, counted and reported in the log. <see langword="null"/> (the default): 64, or a third of the longest length where that is less.</summary>
    public int? MaxQuestionLength { get; set; }

    /// <summary>How many tokens of the context a window shares with the one before, at least 0. <see langword="null"/> (the default): a third of the longest length.</summary>
    public int? Stride { get; set; }

    /// <summary>The output column of the answers. Default "Answer".</summary>
    public string AnswerColumnName { get; set; } = "Answer";

    /// <summary>The output column of the answers' scores. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The output column of the places where the answers begin. Default "AnswerStart".</summary>
    public string AnswerStartColumnName { get; set; } = "AnswerStart";

    internal override IReadOnlyList<ValidationMetric> Metrics => s_metrics;

    internal override QuestionAnsweringOptions Copy() => (QuestionAnsweringOptions)base.Copy();
}
