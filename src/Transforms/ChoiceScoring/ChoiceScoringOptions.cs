namespace MLComponents.Transforms;

/// <summary>
/// How texts are classified by how likely a causal language model finds each of some choices after them. Part of the model file, except for <see cref="Model"/>,
/// which is in it, and <see cref="ScoringSettings.Device"/> and <see cref="ScoringSettings.CancellationToken"/>.
/// </summary>
public sealed class ChoiceScoringOptions : ScoringSettings
{
    /// <summary>Options at their defaults, without a model.</summary>
    public ChoiceScoringOptions() => BatchSize = 16;

    /// <summary>The Hugging Face folder of a causal language model: config.json, model.safetensors and tokenizer.json. Nothing is downloaded.</summary>
    public string Model { get; set; } = "";

    /// <summary>For chat models: the system prompt and the examples that go with every input. <see langword="null"/> (the default): the input is the prompt as it is.</summary>
    public ChatPromptOptions? Chat { get; set; }

    /// <summary>What stands between the prompt and each choice. <see langword="null"/> (the default): a blank, in a conversation nothing.</summary>
    public string? ChoicePrefix { get; set; }

    /// <summary>What log-likelihoods are divided by before they are compared. Default <see cref="LengthNormalization.None"/>.</summary>
    public LengthNormalization LengthNormalization { get; set; } = LengthNormalization.None;

    /// <summary>
    /// A prompt without content, such as the prompt's form around "N/A": how likely choices are after it is taken off, so that a choice does not win because the model
    /// likes it anyway. <see langword="null"/> (the default): nothing is taken off.
    /// </summary>
    /// <remarks>Zhao et al. 2021, "Calibrate Before Use"; Holtzman et al. 2021, "Surface Form Competition".</remarks>
    public string? ContentFreePrompt { get; set; }

    /// <summary>The output column of the likeliest choice: a key with the choices as its values. Default "PredictedLabel".</summary>
    public string PredictedLabelColumnName { get; set; } = "PredictedLabel";

    /// <summary>The output column of the probabilities of all choices, which sum to 1. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = "Score";

    /// <summary>The output column of the probability of the likeliest choice. Default "Probability".</summary>
    public string ProbabilityColumnName { get; set; } = "Probability";

    /// <summary>The column of the log-likelihoods of all choices as the model gives them, in nats, neither divided nor calibrated. <see langword="null"/> (the default): no such column.</summary>
    public string? LogLikelihoodColumnName { get; set; }

    /// <summary>Most tokens of a prompt, at least 1; longer ones are cut and counted. <see langword="null"/> (the default): the model's context less the longest choice.</summary>
    public int? MaxPromptLength { get; set; }

    /// <summary>Which part of a longer prompt is cut; in a conversation, of the row's input. Default <see cref="TruncationSide.End"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.End;

    internal override ChoiceScoringOptions Copy()
    {
        var copy = (ChoiceScoringOptions)base.Copy();
        copy.Chat = Chat?.Copy();
        return copy;
    }

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentException.ThrowIfNullOrEmpty(PredictedLabelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ProbabilityColumnName);
        if (MaxPromptLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(MaxPromptLength));
        CheckSide(TruncationSide);
        if (!Enum.IsDefined(LengthNormalization))
            throw new ArgumentOutOfRangeException(nameof(LengthNormalization), LengthNormalization, $"{nameof(LengthNormalization)} is {LengthNormalization}; expected None, Tokens or Bytes.");
        Chat?.Check();
        if (ContentFreePrompt is not null && Chat is { IsFixed: false })
            throw new ArgumentException($"{nameof(ContentFreePrompt)} is calibrated with once for all rows, but the conversation differs from row to row; leave one of them out.");
        CheckOutputs([PredictedLabelColumnName, ScoreColumnName, ProbabilityColumnName, .. LogLikelihoodColumnName is { } name ? [name] : Array.Empty<string>()]);
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(Chat is not null);
        Chat?.Write(writer);
        OptionalText.Write(writer, ChoicePrefix);
        writer.Write((byte)LengthNormalization);
        OptionalText.Write(writer, ContentFreePrompt);
        writer.Write(PredictedLabelColumnName);
        writer.Write(ScoreColumnName);
        writer.Write(ProbabilityColumnName);
        OptionalText.Write(writer, LogLikelihoodColumnName);
        writer.Write(BatchSize);
        writer.Write(MaxPromptLength ?? 0);
        writer.Write((byte)TruncationSide);
        writer.Write(LookAhead);
    }

    internal static ChoiceScoringOptions Read(BinaryReader reader) => new()
    {
        Chat = reader.ReadBoolean() ? ChatPromptOptions.Read(reader) : null,
        ChoicePrefix = OptionalText.Read(reader),
        LengthNormalization = (LengthNormalization)reader.ReadByte(),
        ContentFreePrompt = OptionalText.Read(reader),
        PredictedLabelColumnName = reader.ReadString(),
        ScoreColumnName = reader.ReadString(),
        ProbabilityColumnName = reader.ReadString(),
        LogLikelihoodColumnName = OptionalText.Read(reader),
        BatchSize = reader.ReadInt32(),
        MaxPromptLength = reader.ReadInt32() is > 0 and int length ? length : null,
        TruncationSide = (TruncationSide)reader.ReadByte(),
        LookAhead = reader.ReadInt32(),
    };
}
