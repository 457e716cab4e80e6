namespace MLComponents.Transforms;

/// <summary>
/// How texts are classified by how likely a causal language model finds each of some choices after them. Part of the model file, except for <see cref="Model"/>,
/// which is in it, and <see cref="Device"/> and <see cref="CancellationToken"/>.
/// </summary>
public sealed class ChoiceScoringOptions
{
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

    /// <summary>Most rows whose choices are read together, at least 1. Default 16.</summary>
    public int BatchSize { get; set; } = 16;

    /// <summary>Most tokens of a prompt, at least 1; longer ones are cut and counted. <see langword="null"/> (the default): the model's context less the longest choice.</summary>
    public int? MaxPromptLength { get; set; }

    /// <summary>Which part of a longer prompt is cut; in a conversation, of the row's input. Default <see cref="TruncationSide.End"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.End;

    /// <summary>Most rows read ahead, at least 1. Default 2048; see <see cref="SequenceClassificationSettings.LookAhead"/>.</summary>
    public int LookAhead { get; set; } = 2048;

    /// <summary>Where the model runs: "cpu", "cuda" or "cuda:N". <see langword="null"/> (the default): the GPU that <c>MLContext.GpuDeviceId</c> names, else the CPU. Not saved.</summary>
    public string? Device { get; set; }

    /// <summary>Stops scoring between two prompts. Not saved.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal ChoiceScoringOptions Copy()
    {
        var copy = (ChoiceScoringOptions)MemberwiseClone();
        copy.Chat = Chat?.Copy();
        return copy;
    }

    /// <summary>Throws what is wrong with the values, naming the option.</summary>
    internal void Check()
    {
        ArgumentException.ThrowIfNullOrEmpty(PredictedLabelColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ScoreColumnName);
        ArgumentException.ThrowIfNullOrEmpty(ProbabilityColumnName);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(LookAhead, 1);
        if (MaxPromptLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(MaxPromptLength));
        if (!Enum.IsDefined(TruncationSide))
            throw new ArgumentOutOfRangeException(nameof(TruncationSide), TruncationSide, $"{nameof(TruncationSide)} is {TruncationSide}; expected End, Start or Middle.");
        if (!Enum.IsDefined(LengthNormalization))
            throw new ArgumentOutOfRangeException(nameof(LengthNormalization), LengthNormalization, $"{nameof(LengthNormalization)} is {LengthNormalization}; expected None, Tokens or Bytes.");
        Chat?.Check();
        if (ContentFreePrompt is not null && Chat is { IsFixed: false })
            throw new ArgumentException($"{nameof(ContentFreePrompt)} is calibrated with once for all rows, but the conversation differs from row to row; leave one of them out.");
        string[] outputs = [PredictedLabelColumnName, ScoreColumnName, ProbabilityColumnName, .. LogLikelihoodColumnName is { } name ? [name] : Array.Empty<string>()];
        if (outputs.Any(string.IsNullOrEmpty) || outputs.Distinct(StringComparer.Ordinal).Count() < outputs.Length)
            throw new ArgumentException($"The output columns need different names; found {string.Join(", ", outputs.Select(output => $"'{output}'"))}.");
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
