namespace MLComponents.Transforms;

/// <summary>How texts are measured: columns, lengths and batches. Part of the model file, except for <see cref="ScoringSettings.Device"/> and <see cref="ScoringSettings.CancellationToken"/>.</summary>
public sealed class TextLikelihoodSettings : BatchScoringSettings
{
    /// <summary>The text column to measure. Default "Text".</summary>
    public string TextColumnName { get; set; } = "Text";

    /// <summary>The text column that stands before it and is not measured. <see langword="null"/> (the default): none.</summary>
    public string? PromptColumnName { get; set; }

    /// <summary>What of the text is measured. Default <see cref="LearnedText.Text"/>.</summary>
    public LearnedText Learned { get; set; }

    /// <summary>Whether a text is followed by the token that ends texts, which is measured, too. Default <see langword="true"/>; of no consequence where a chat template writes the text.</summary>
    public bool EndOfText { get; set; } = true;

    /// <summary>The output column of the log-likelihood. Default "LogLikelihood".</summary>
    public string LogLikelihoodColumnName { get; set; } = "LogLikelihood";

    /// <summary>The output column of the number of tokens measured. Default "TokenCount".</summary>
    public string TokenCountColumnName { get; set; } = "TokenCount";

    /// <summary>The output column of the perplexity. Default "Perplexity".</summary>
    public string PerplexityColumnName { get; set; } = "Perplexity";

    /// <summary>Most tokens at once, at least 2; a longer text is read in parts, a longer one with a prompt or conversation is cut, counted and reported. <see langword="null"/> (the default): the model's context length.</summary>
    public int? MaxLength { get; set; }

    /// <summary>Which part of a too long prompt with text is cut. Default <see cref="MLComponents.Transforms.TruncationSide.Start"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.Start;

    internal override TextLikelihoodSettings Copy() => (TextLikelihoodSettings)base.Copy();

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(TextColumnName);
        if (PromptColumnName is not null) ArgumentException.ThrowIfNullOrEmpty(PromptColumnName);
        ArgumentException.ThrowIfNullOrEmpty(LogLikelihoodColumnName);
        ArgumentException.ThrowIfNullOrEmpty(TokenCountColumnName);
        ArgumentException.ThrowIfNullOrEmpty(PerplexityColumnName);
        if (MaxLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 2, nameof(MaxLength));
        CheckSide(TruncationSide);
        if (!Enum.IsDefined(Learned))
            throw new ArgumentOutOfRangeException(nameof(Learned), Learned, $"{nameof(Learned)} is {Learned}; expected Text, ChatResponse or Conversation.");
        if (Learned == LearnedText.ChatResponse && PromptColumnName is null)
            throw new ArgumentException($"{nameof(LearnedText.ChatResponse)} needs a prompt: set {nameof(PromptColumnName)}.");
        if (Learned == LearnedText.Conversation && PromptColumnName is not null)
            throw new ArgumentException($"{nameof(LearnedText.Conversation)} holds the prompts itself; {nameof(PromptColumnName)} is '{PromptColumnName}', expected null.");
        CheckOutputs(LogLikelihoodColumnName, TokenCountColumnName, PerplexityColumnName);
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(TextColumnName);
        writer.Write(PromptColumnName ?? "");
        writer.Write((byte)Learned);
        writer.Write(EndOfText);
        writer.Write(LogLikelihoodColumnName);
        writer.Write(TokenCountColumnName);
        writer.Write(PerplexityColumnName);
        writer.Write(BatchSize);
        writer.Write(MaxTokensPerBatch);
        writer.Write(MaxLength ?? 0);
        writer.Write((byte)TruncationSide);
        writer.Write(LookAhead);
    }

    internal static TextLikelihoodSettings Read(BinaryReader reader)
    {
        var settings = new TextLikelihoodSettings
        {
            TextColumnName = reader.ReadString(),
            PromptColumnName = reader.ReadString() is { Length: > 0 } prompt ? prompt : null,
            Learned = (LearnedText)reader.ReadByte(),
            EndOfText = reader.ReadBoolean(),
            LogLikelihoodColumnName = reader.ReadString(),
            TokenCountColumnName = reader.ReadString(),
            PerplexityColumnName = reader.ReadString(),
            BatchSize = reader.ReadInt32(),
            MaxTokensPerBatch = reader.ReadInt32(),
            MaxLength = reader.ReadInt32() is > 0 and int length ? length : null,
            TruncationSide = (TruncationSide)reader.ReadByte(),
            LookAhead = reader.ReadInt32(),
        };
        settings.Check();
        return settings;
    }
}
