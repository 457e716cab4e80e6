using MLComponents.Models;

namespace MLComponents.Transforms;

/// <summary>
/// How texts are generated for the rows of a column. Part of the model file, except for <see cref="Model"/>, which is in it, and <see cref="ScoringSettings.Device"/> and
/// <see cref="ScoringSettings.CancellationToken"/>.
/// </summary>
public sealed class TextGenerationOptions : ScoringSettings
{
    /// <summary>Options at their defaults, without a model.</summary>
    public TextGenerationOptions() => LookAhead = 1024;

    /// <summary>The Hugging Face folder of a causal language model: config.json, model.safetensors and tokenizer.json. Nothing is downloaded.</summary>
    public string Model { get; set; } = "";

    /// <summary>
    /// How the model generates: greedily or by sampling, temperature, stop strings and so on; what it leaves open follows the model's generation_config.json. The
    /// most new tokens are <see cref="GenerationConfig.MaxNewTokens"/>, by default 256 within half of the model's context.
    /// </summary>
    /// <remarks>
    /// A row's random numbers follow from <see cref="GenerationConfig.Seed"/> (0 where it is null) and its prompt, so that a row gets the same text in every batch,
    /// every order and alone, and equal prompts get equal texts.
    /// </remarks>
    public GenerationConfig Generation { get; set; } = new();

    /// <summary>For chat models: the system prompt and the examples that go with every input. <see langword="null"/> (the default): the input is the prompt as it is.</summary>
    public ChatPromptOptions? Chat { get; set; }

    /// <summary>
    /// The only texts that may be written; the output column is then a key with these values. <see langword="null"/> (the default): any text. At most one of
    /// <see cref="Choices"/>, <see cref="Regex"/> and <see cref="JsonSchema"/> is set.
    /// </summary>
    public IReadOnlyList<string>? Choices { get; set; }

    /// <summary>A regular expression that every text matches as a whole. <see langword="null"/> (the default): none.</summary>
    public string? Regex { get; set; }

    /// <summary>
    /// A JSON schema that every text is valid against. Required properties of an object that are strings, whole numbers, numbers or truth values become columns of
    /// their own, named output column, point, property. <see langword="null"/> (the default): none.
    /// </summary>
    public string? JsonSchema { get; set; }

    /// <summary>The column of the ids of the new tokens, an end included. <see langword="null"/> (the default): no such column.</summary>
    public string? TokenIdsColumnName { get; set; }

    /// <summary>The column of the text's log probability, in nats: the sum over its tokens as the model gives them, before processors. <see langword="null"/> (the default): no such column.</summary>
    public string? LogProbabilityColumnName { get; set; }

    /// <summary>The column of the name of the <see cref="FinishReason"/>. <see langword="null"/> (the default): no such column.</summary>
    public string? FinishReasonColumnName { get; set; }

    /// <summary>Most tokens of a prompt, at least 1; longer ones are cut and counted. <see langword="null"/> (the default): the model's context less the most new tokens.</summary>
    public int? MaxPromptLength { get; set; }

    /// <summary>Which part of a longer prompt is cut; in a conversation, of the row's input. Default <see cref="TruncationSide.End"/>.</summary>
    public TruncationSide TruncationSide { get; set; } = TruncationSide.End;

    internal override TextGenerationOptions Copy()
    {
        var copy = (TextGenerationOptions)base.Copy();
        copy.Chat = Chat?.Copy();
        copy.Choices = Choices is null ? null : [.. Choices];
        return copy;
    }

    /// <inheritdoc/>
    internal override void Check()
    {
        base.Check();
        ArgumentNullException.ThrowIfNull(Generation);
        if (MaxPromptLength is { } length) ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(MaxPromptLength));
        CheckSide(TruncationSide);
        if (Generation.MaxLength is { } all)
            throw new ArgumentException($"MaxLength is {all}: it counts prompts, which differ from row to row. Set {nameof(GenerationConfig.MaxNewTokens)} instead.", nameof(Generation));
        if (Generation.NumReturnSequences is > 1 and var texts)
            throw new ArgumentException($"NumReturnSequences is {texts}; a column holds one text per row.", nameof(Generation));
        Chat?.Check();
        CheckConstraint();
    }

    private void CheckConstraint()
    {
        (string Name, bool IsSet)[] constraints = [(nameof(Choices), Choices is not null), (nameof(Regex), Regex is not null), (nameof(JsonSchema), JsonSchema is not null)];
        string[] set = [.. constraints.Where(constraint => constraint.IsSet).Select(constraint => constraint.Name)];
        if (set.Length == 0) return;
        if (set.Length > 1) throw new ArgumentException($"{string.Join(" and ", set)} are set; at most one of them can be.");
        if (Generation.StopStrings is { Count: > 0 } || Generation.MaxTime is not null)
            throw new ArgumentException($"StopStrings and MaxTime could end a text before it is what {set[0]} asks for; leave them out.", nameof(Generation));
        if (Choices is null) return;
        if (Choices.Count == 0 || Choices.Any(string.IsNullOrEmpty)) throw new ArgumentException($"{nameof(Choices)} is empty or holds an empty text; expected at least one text.", nameof(Choices));
        if (Choices.Distinct(StringComparer.Ordinal).Count() < Choices.Count) throw new ArgumentException($"{nameof(Choices)} holds a text twice: {string.Join(", ", Choices)}.", nameof(Choices));
    }

    internal void Write(BinaryWriter writer)
    {
        byte[] generation = Generation.ToJson();
        writer.Write(generation.Length);
        writer.Write(generation);
        writer.Write(Generation.Seed ?? 0);
        writer.Write(Chat is not null);
        Chat?.Write(writer);
        OptionalText.WriteAll(writer, Choices);
        OptionalText.Write(writer, Regex);
        OptionalText.Write(writer, JsonSchema);
        OptionalText.Write(writer, TokenIdsColumnName);
        OptionalText.Write(writer, LogProbabilityColumnName);
        OptionalText.Write(writer, FinishReasonColumnName);
        writer.Write(BatchSize);
        writer.Write(MaxPromptLength ?? 0);
        writer.Write((byte)TruncationSide);
        writer.Write(LookAhead);
    }

    internal static TextGenerationOptions Read(BinaryReader reader) => new()
    {
        Generation = GenerationConfig.Parse(reader.ReadBytes(reader.ReadInt32()), "the model file's settings") with { Seed = reader.ReadInt64() },
        Chat = reader.ReadBoolean() ? ChatPromptOptions.Read(reader) : null,
        Choices = OptionalText.ReadAll(reader),
        Regex = OptionalText.Read(reader),
        JsonSchema = OptionalText.Read(reader),
        TokenIdsColumnName = OptionalText.Read(reader),
        LogProbabilityColumnName = OptionalText.Read(reader),
        FinishReasonColumnName = OptionalText.Read(reader),
        BatchSize = reader.ReadInt32(),
        MaxPromptLength = reader.ReadInt32() is > 0 and int length ? length : null,
        TruncationSide = (TruncationSide)reader.ReadByte(),
        LookAhead = reader.ReadInt32(),
    };
}
