namespace MLComponents.Transforms;

/// <summary>How questions are answered: columns, windows and batches. Part of the model file, except for <see cref="ScoringSettings.Device"/> and <see cref="ScoringSettings.CancellationToken"/>.</summary>
public sealed class QuestionAnsweringSettings : BatchScoringSettings
{
    /// <summary>Settings at their defaults.</summary>
    public QuestionAnsweringSettings() => LookAhead = 512;

    /// <summary>The text column with what the answer is looked for in. Default "Context".</summary>
    public string ContextColumnName { get; set; } = "Context";

    /// <summary>The text column with the question. Default "Question".</summary>
    public string QuestionColumnName { get; set; } = "Question";

    /// <summary>The output column of the answers, the best first. Default "Answer".</summary>
    public string AnswerColumnName { get; set; } = "Answer";

    /// <summary>The output column of the answers' scores. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The output column of the places in the context where the answers begin. Default "AnswerStart".</summary>
    public string AnswerStartColumnName { get; set; } = "AnswerStart";

    /// <summary>How many answers there are, at least 1. Default 3.</summary>
    public int TopK { get; set; } = 3;

    /// <summary>Most tokens of an answer, at least 1. Default 30.</summary>
    public int MaxAnswerLength { get; set; } = 30;

    /// <summary>Most tokens of a question, at least 1; longer ones are cut, counted and reported in the log. <see langword="null"/> (the default): 64, or a third of the longest length where that is less.</summary>
    public int? MaxQuestionLength { get; set; }

    /// <summary>Most tokens that the model reads of question and context at once; longer contexts are read in several windows. <see langword="null"/> (the default): 384, or the model's context length where that is less.</summary>
    public int? MaxLength { get; set; }

    /// <summary>How many tokens of the context a window shares with the one before, at least 0. <see langword="null"/> (the default): a third of the longest length.</summary>
    public int? Stride { get; set; }

    internal override QuestionAnsweringSettings Copy() => (QuestionAnsweringSettings)base.Copy();

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(ContextColumnName);
        ArgumentException.ThrowIfNullOrEmpty(QuestionColumnName);
        ArgumentException.ThrowIfNullOrEmpty(AnswerColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(AnswerStartColumnName);
        ArgumentOutOfRangeException.ThrowIfLessThan(TopK, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAnswerLength, 1);
        if (MaxQuestionLength is { } question) ArgumentOutOfRangeException.ThrowIfLessThan(question, 1, nameof(MaxQuestionLength));
        if (MaxLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 8, nameof(MaxLength));
        if (Stride is { } stride) ArgumentOutOfRangeException.ThrowIfNegative(stride, nameof(Stride));
        if ((MaxQuestionLength ?? 0) + (Stride ?? 0) >= MaxLength)
            throw new ArgumentOutOfRangeException(nameof(MaxLength), MaxLength, $"{nameof(MaxLength)} is {MaxLength}, {nameof(MaxQuestionLength)} {MaxQuestionLength} and {nameof(Stride)} {Stride}: no room for more of the context is left.");
        CheckOutputs(AnswerColumnName, ScoreColumnName, AnswerStartColumnName);
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(ContextColumnName);
        writer.Write(QuestionColumnName);
        writer.Write(AnswerColumnName);
        writer.Write(ScoreColumnName);
        writer.Write(AnswerStartColumnName);
        writer.Write(TopK);
        writer.Write(MaxAnswerLength);
        writer.Write(MaxQuestionLength ?? 0);
        writer.Write(MaxLength ?? 0);
        writer.Write(Stride ?? -1);
        writer.Write(BatchSize);
        writer.Write(MaxTokensPerBatch);
        writer.Write(LookAhead);
    }

    internal static QuestionAnsweringSettings Read(BinaryReader reader)
    {
        var settings = new QuestionAnsweringSettings
        {
            ContextColumnName = reader.ReadString(),
            QuestionColumnName = reader.ReadString(),
            AnswerColumnName = reader.ReadString(),
            ScoreColumnName = reader.ReadString(),
            AnswerStartColumnName = reader.ReadString(),
            TopK = reader.ReadInt32(),
            MaxAnswerLength = reader.ReadInt32(),
            MaxQuestionLength = reader.ReadInt32() is > 0 and int question ? question : null,
            MaxLength = reader.ReadInt32() is > 0 and int length ? length : null,
            Stride = reader.ReadInt32() is >= 0 and int stride ? stride : null,
            BatchSize = reader.ReadInt32(),
            MaxTokensPerBatch = reader.ReadInt32(),
            LookAhead = reader.ReadInt32(),
        };
        settings.Check();
        return settings;
    }
}
