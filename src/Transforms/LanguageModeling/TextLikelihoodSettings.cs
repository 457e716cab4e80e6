namespace MLComponents.Transforms;

/// <summary>How texts are measured: columns, lengths and batches. Part of the model file, except for <see cref="Device"/> and <see cref="CancellationToken"/>.</summary>
public sealed class TextLikelihoodSettings
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

    /// <summary>Most texts that the model reads at once, at least 1. Default 32.</summary>
    public int BatchSize { get; set; } = 32;

    /// <summary>Most tokens that the model reads at once, padding included, at least 1; a longer text is read alone. Default 4096.</summary>
    public int MaxTokensPerBatch { get; set; } = 4096;

    /// <summary>Most tokens at once, at least 2; a longer text is read in parts, a longer one with a prompt or conversation is cut, counted and reported. <see langword="null"/> (the default): the model's context length.</summary>
    public int? MaxLength { get; set; }

    /// <summary>Which part of a too long prompt with text is cut. Default <see cref="MLComponents.Transforms.TruncationSide.Start"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.Start;

    /// <summary>Most rows read ahead in order to batch texts of like length, at least 1. Default 2048; see <see cref="SequenceClassificationSettings.LookAhead"/>.</summary>
    public int LookAhead { get; set; } = 2048;

    /// <summary>Where the model runs: "cpu", "cuda" or "cuda:N". <see langword="null"/> (the default): the GPU that <c>MLContext.GpuDeviceId</c> names, else the CPU. Not saved.</summary>
    public string? Device { get; set; }

    /// <summary>Stops scoring between two batches. Not saved.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal TextLikelihoodSettings Copy() => (TextLikelihoodSettings)MemberwiseClone();

    /// <summary>Throws what is wrong with the values, naming the option.</summary>
    internal void Check()
    {
        ArgumentException.ThrowIfNullOrEmpty(TextColumnName);
        if (PromptColumnName is not null) ArgumentException.ThrowIfNullOrEmpty(PromptColumnName);
        ArgumentException.ThrowIfNullOrEmpty(LogLikelihoodColumnName);
        ArgumentException.ThrowIfNullOrEmpty(TokenCountColumnName);
        ArgumentException.ThrowIfNullOrEmpty(PerplexityColumnName);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTokensPerBatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LookAhead, 1);
        if (MaxLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 2, nameof(MaxLength));
        if (!Enum.IsDefined(TruncationSide))
            throw new ArgumentOutOfRangeException(nameof(TruncationSide), TruncationSide, $"{nameof(TruncationSide)} is {TruncationSide}; expected End, Start or Middle.");
        if (!Enum.IsDefined(Learned))
            throw new ArgumentOutOfRangeException(nameof(Learned), Learned, $"{nameof(Learned)} is {Learned}; expected Text, ChatResponse or Conversation.");
        if (Learned == LearnedText.ChatResponse && PromptColumnName is null)
            throw new ArgumentException($"{nameof(LearnedText.ChatResponse)} needs a prompt: set {nameof(PromptColumnName)}.");
        if (Learned == LearnedText.Conversation && PromptColumnName is not null)
            throw new ArgumentException($"{nameof(LearnedText.Conversation)} holds the prompts itself; {nameof(PromptColumnName)} is '{PromptColumnName}', expected null.");
        string[] outputs = [LogLikelihoodColumnName, TokenCountColumnName, PerplexityColumnName];
        if (outputs.Distinct().Count() < outputs.Length)
            throw new ArgumentException($"The output columns need different names; found {string.Join(", ", outputs.Select(name => $"'{name}'"))}.");
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
