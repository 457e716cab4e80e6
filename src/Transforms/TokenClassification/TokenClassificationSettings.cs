namespace MLComponents.Transforms;

/// <summary>How a token classifier scores: columns, windows and batches. Part of the model file, except for <see cref="ScoringSettings.Device"/> and <see cref="ScoringSettings.CancellationToken"/>.</summary>
public sealed class TokenClassificationSettings : BatchScoringSettings
{
    /// <summary>The column to read: a text, or a vector of texts which are its tokens. Default "Text".</summary>
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The output column of the labels: a vector of keys with the training labels as their values, one per token. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The output column of the probabilities (0 to 1) of the predicted labels, one per token. Default "Probability".</summary>
    public string ProbabilityColumnName { get; set; } = "Probability";

    /// <summary>The output column of the tokens that were labelled, where the input is a text. Default "Token".</summary>
    public string TokenColumnName { get; set; } = "Token";

    /// <summary>
    /// The output column of the entities' texts, and the beginning of the names of the columns with their labels, places, lengths and probabilities. Default "Entity".
    /// </summary>
    public string EntityColumnName { get; set; } = "Entity";

    /// <summary>Most tokens of the model that it reads of a text at once, at least 1; longer texts are read in several windows. <see langword="null"/> (the default): the model's context length.</summary>
    public int? MaxLength { get; set; }

    /// <summary>How many tokens of the model a window shares with the one before, at least 0, so that what begins it is not read without context. <see langword="null"/> (the default): a quarter of the longest length.</summary>
    public int? Stride { get; set; }

    internal string[] OutputColumnNames =>
    [
        TokenColumnName, PredictedLabelColumnName, ProbabilityColumnName,
        EntityColumnName, EntityColumnName + "Label", EntityColumnName + "Start", EntityColumnName + "Length", EntityColumnName + "Probability",
    ];

    internal override TokenClassificationSettings Copy() => (TokenClassificationSettings)base.Copy();

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(TextColumnName);
        ArgumentException.ThrowIfNullOrEmpty(PredictedLabelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ProbabilityColumnName);
        ArgumentException.ThrowIfNullOrEmpty(TokenColumnName);
        ArgumentException.ThrowIfNullOrEmpty(EntityColumnName);
        if (MaxLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(MaxLength));
        if (Stride is { } stride) ArgumentOutOfRangeException.ThrowIfNegative(stride, nameof(Stride));
        if (Stride >= MaxLength)
            throw new ArgumentOutOfRangeException(nameof(Stride), Stride, $"{nameof(Stride)} is {Stride}, {nameof(MaxLength)} {MaxLength}: windows would not get on.");
        CheckOutputs(OutputColumnNames);
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(TextColumnName);
        writer.Write(PredictedLabelColumnName);
        writer.Write(ProbabilityColumnName);
        writer.Write(TokenColumnName);
        writer.Write(EntityColumnName);
        writer.Write(BatchSize);
        writer.Write(MaxTokensPerBatch);
        writer.Write(MaxLength ?? 0);
        writer.Write(Stride ?? -1);
        writer.Write(LookAhead);
    }

    internal static TokenClassificationSettings Read(BinaryReader reader)
    {
        var settings = new TokenClassificationSettings
        {
            TextColumnName = reader.ReadString(),
            PredictedLabelColumnName = reader.ReadString(),
            ProbabilityColumnName = reader.ReadString(),
            TokenColumnName = reader.ReadString(),
            EntityColumnName = reader.ReadString(),
            BatchSize = reader.ReadInt32(),
            MaxTokensPerBatch = reader.ReadInt32(),
            MaxLength = reader.ReadInt32() is > 0 and int length ? length : null,
            Stride = reader.ReadInt32() is >= 0 and int stride ? stride : null,
            LookAhead = reader.ReadInt32(),
        };
        settings.Check();
        return settings;
    }
}
