namespace MLComponents.Transforms;

/// <summary>How a sequence classifier scores: columns, lengths and batches. Part of the model file, except for <see cref="ScoringSettings.Device"/> and <see cref="ScoringSettings.CancellationToken"/>.</summary>
public sealed class SequenceClassificationSettings : BatchScoringSettings
{
    /// <summary>The version of what <see cref="Write"/> writes: since 1.2 the second texts of pairs are part of it.</summary>
    internal const uint Version = 0x00010002;

    /// <summary>The oldest version that <see cref="Read"/> reads.</summary>
    internal const uint OldestVersion = 0x00010001;

    /// <summary>The text column to read. Default "Text".</summary>
    public string TextColumnName { get; set; } = "Text";

    /// <summary>
    /// The text column of the second texts, where the model reads pairs: <see cref="TextColumnName"/> and then this one, joined as the tokenizer joins a pair. An empty second text is
    /// joined like any other. <see langword="null"/> (the default): single texts.
    /// </summary>
    public string? TextPairColumnName { get; set; }

    /// <summary>The output column of the predicted label: a key with the training labels as its values, or <see langword="bool"/> for a binary classifier. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The output column of the scores: one probability per label, or the logit of <see langword="true"/> for a binary classifier. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The output column of the probability (0 to 1): of the predicted label, or of <see langword="true"/> for a binary classifier. Default "Probability".</summary>
    public string ProbabilityColumnName { get; set; } = "Probability";

    /// <summary>Most tokens of a text, or of both texts of a pair, at least 1; longer ones are cut, counted and reported in the log. <see langword="null"/> (the default): the model's context length.</summary>
    public int? MaxLength { get; set; }

    /// <summary>Which part of a too long text is cut; of a pair, first that of the longer text. Default <see cref="MLComponents.Transforms.TruncationSide.End"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.End;

    internal override SequenceClassificationSettings Copy() => (SequenceClassificationSettings)base.Copy();

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(TextColumnName);
        CheckPair(TextColumnName, TextPairColumnName);
        ArgumentException.ThrowIfNullOrEmpty(PredictedLabelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ProbabilityColumnName);
        if (MaxLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(MaxLength));
        CheckSide(TruncationSide);
        CheckOutputs(PredictedLabelColumnName, ScoreColumnName, ProbabilityColumnName);
    }

    /// <summary>Throws where the column of second texts has no name, or is the column of the first ones.</summary>
    internal static void CheckPair(string text, string? pair)
    {
        if (pair is null) return;
        ArgumentException.ThrowIfNullOrEmpty(pair, nameof(TextPairColumnName));
        if (pair == text)
            throw new ArgumentException($"{nameof(TextPairColumnName)} is '{pair}', which is the column of the first texts already; expected another column, or null for single texts.");
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(TextColumnName);
        writer.Write(PredictedLabelColumnName);
        writer.Write(ScoreColumnName);
        writer.Write(ProbabilityColumnName);
        writer.Write(BatchSize);
        writer.Write(MaxTokensPerBatch);
        writer.Write(MaxLength ?? 0);
        writer.Write((byte)TruncationSide);
        writer.Write(LookAhead);
        OptionalText.Write(writer, TextPairColumnName);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="reader">The model file's entry.</param>
    /// <param name="version">The version that it was written in.</param>
    internal static SequenceClassificationSettings Read(BinaryReader reader, uint version)
    {
        var settings = new SequenceClassificationSettings
        {
            TextColumnName = reader.ReadString(),
            PredictedLabelColumnName = reader.ReadString(),
            ScoreColumnName = reader.ReadString(),
            ProbabilityColumnName = reader.ReadString(),
            BatchSize = reader.ReadInt32(),
            MaxTokensPerBatch = reader.ReadInt32(),
            MaxLength = reader.ReadInt32() is > 0 and int length ? length : null,
            TruncationSide = (TruncationSide)reader.ReadByte(),
            LookAhead = reader.ReadInt32(),
            TextPairColumnName = version < 0x00010002 ? null : OptionalText.Read(reader),
        };
        settings.Check();
        return settings;
    }
}
