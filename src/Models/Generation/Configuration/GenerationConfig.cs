using System.Text.Json;

namespace MLComponents.Models;

/// <summary>How text is generated: Hugging Face's <c>GenerationConfig</c>. What is null is not said here, see <see cref="Over"/>.</summary>
/// <remarks>
/// What a call says goes before what the model's <c>generation_config.json</c> says, that before what its <c>config.json</c> says, and that before the defaults
/// that are named here. Nothing that is set has an effect on a strategy that does not use it: a temperature, for instance, on generation without sampling.
/// </remarks>
public sealed record GenerationConfig
{
    /// <summary>The most tokens of a row, prompt and padding included. By default 20 new ones, within what the model was made for.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The most new tokens; goes before <see cref="MaxLength"/>.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>No end before a row has so many tokens, prompt and padding included; 0 by default.</summary>
    public int? MinLength { get; init; }

    /// <summary>No end before so many new tokens.</summary>
    public int? MinNewTokens { get; init; }

    /// <summary>How long generation may begin another step; no limit by default.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Texts that end a row when they appear in it; needs a tokenizer in <see cref="GenerationInput.Tokenizer"/>.</summary>
    public IReadOnlyList<string>? StopStrings { get; init => field = ValueList.OrNull(value); }

    /// <summary>Whether tokens are drawn at random, by their probability, instead of taking the likeliest; false by default.</summary>
    public bool? DoSample { get; init; }

    /// <summary>How many texts of each prompt a beam search follows; 1, no beam search, by default.</summary>
    public int? NumBeams { get; init; }

    /// <summary>The number of groups whose beams are to differ, a divisor of <see cref="NumBeams"/>; 1 by default.</summary>
    public int? NumBeamGroups { get; init; }

    /// <summary>What is subtracted, in a group, from the score of a token for each beam of an earlier group that has just taken it; 0 by default.</summary>
    public double? DiversityPenalty { get; init; }

    /// <summary>When a beam search ends; <see cref="EarlyStopping.Heuristic"/> by default.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Beam scores are divided by the length to this power; above 0, long texts are preferred; 1 by default.</summary>
    public double? LengthPenalty { get; init; }

    /// <summary>The tokens that must appear in what a beam search gives: for each phrase its alternatives, one or more lists of ids.</summary>
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>>? ForceWordsIds { get; init => field = ValueList.OrNull(value, static phrase => ValueList.Of(phrase, ValueList.Of)); }

    /// <summary>The weight, from 0 to 1, of being unlike the text so far in contrastive search, which takes one of <see cref="TopK"/> candidates; none by default.</summary>
    public double? PenaltyAlpha { get; init; }

    /// <summary>How many tokens at a time are looked up in the prompt, to be checked by the model at once; none by default.</summary>
    public int? PromptLookupNumTokens { get; init; }

    /// <summary>The longest run of last tokens that is looked up in the prompt; 2 by default.</summary>
    public int? MaxMatchingNgramSize { get; init; }

    /// <summary>How many tokens a draft model proposes at first; 20 by default.</summary>
    public int? NumAssistantTokens { get; init; }

    /// <summary>How that number changes; <see cref="AssistantSchedule.Constant"/> by default.</summary>
    public AssistantSchedule? NumAssistantTokensSchedule { get; init; }

    /// <summary>The draft model stops after a token of a lower probability; 0.4 by default.</summary>
    public double? AssistantConfidenceThreshold { get; init; }

    /// <summary>Whether keys and values of earlier tokens are kept; true by default. Without, every step computes the whole text.</summary>
    public bool? UseCache { get; init; }

    /// <summary>How many tokens of a prompt are read at a time, which bounds memory; all by default.</summary>
    public int? PrefillChunkSize { get; init; }

    /// <summary>What scores are divided by; above 0; 1 by default. For sampling.</summary>
    public double? Temperature { get; init; }

    /// <summary>Draws from the so many likeliest tokens; 0 for all; 50 by default. For sampling.</summary>
    public int? TopK { get; init; }

    /// <summary>Draws from the fewest tokens whose probabilities add up to this, 0 to 1; 1 by default. For sampling.</summary>
    public double? TopP { get; init; }

    /// <summary>Draws from tokens that are at least so likely, 0 to 1, in proportion to the likeliest; none by default. For sampling.</summary>
    public double? MinP { get; init; }

    /// <summary>Draws from the tokens whose surprise is nearest to what is expected, until their probabilities add up to this; 1 by default. For sampling.</summary>
    public double? TypicalP { get; init; }

    /// <summary>Draws from tokens with at least this probability; 0 by default. For sampling.</summary>
    public double? EpsilonCutoff { get; init; }

    /// <summary>As <see cref="EpsilonCutoff"/>, lower where the distribution is flat; 0 by default. For sampling.</summary>
    public double? EtaCutoff { get; init; }

    /// <summary>Draws from the likeliest tokens while their part of the entropy is at most this, above 0 and up to 1; none by default. For sampling.</summary>
    public double? TopH { get; init; }

    /// <summary>Tokens that a row holds already, prompt included, become less likely, above 1; 1 by default.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Tokens of the prompt become likelier, above 1; 1 by default.</summary>
    public double? EncoderRepetitionPenalty { get; init; }

    /// <summary>No run of so many tokens appears twice; 0, no limit, by default.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>No run of so many tokens of the prompt appears again; 0, no limit, by default.</summary>
    public int? EncoderNoRepeatNgramSize { get; init; }

    /// <summary>Runs of ids that must not be generated.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? BadWordsIds { get; init => field = ValueList.OrNull(value, ValueList.Of); }

    /// <summary>What is added to the score of a token that would complete a run of ids.</summary>
    public IReadOnlyList<SequenceBias>? SequenceBias { get; init => field = ValueList.OrNull(value); }

    /// <summary>The first token of a row of one token, the beginning of a text.</summary>
    public int? ForcedBosTokenId { get; init; }

    /// <summary>The last token of a row that reaches its greatest length.</summary>
    public IReadOnlyList<int>? ForcedEosTokenIds { get; init => field = ValueList.OrNull(value); }

    /// <summary>Makes an end likelier with every token.</summary>
    public ExponentialDecay? ExponentialDecayLengthPenalty { get; init; }

    /// <summary>Ids that are never generated.</summary>
    public IReadOnlyList<int>? SuppressTokens { get; init => field = ValueList.OrNull(value); }

    /// <summary>Ids that are not generated as the first new token.</summary>
    public IReadOnlyList<int>? BeginSuppressTokens { get; init => field = ValueList.OrNull(value); }

    /// <summary>Whether NaN becomes 0 and infinite scores the largest finite ones; false by default.</summary>
    public bool? RemoveInvalidValues { get; init; }

    /// <summary>Whether scores become log probabilities at the end; false by default.</summary>
    public bool? RenormalizeLogits { get; init; }

    /// <summary>
    /// How far scores are moved away from those of a text without the prompt, or with <see cref="GenerationInput.NegativePromptIds"/> in its place; 1, not at all,
    /// by default.
    /// </summary>
    public double? GuidanceScale { get; init; }

    /// <summary>A watermark that <see cref="WatermarkDetector"/> finds again; none by default.</summary>
    public Watermark? Watermark { get; init; }

    /// <summary>Whether the last token of the prompt is chosen anew where longer tokens begin with it; false by default; needs a tokenizer.</summary>
    public bool? TokenHealing { get; init; }

    /// <summary>How many texts each prompt gets; 1 by default. More need sampling, or as many beams.</summary>
    public int? NumReturnSequences { get; init; }

    /// <summary>Whether the processed scores of all steps are given; false by default.</summary>
    public bool? OutputScores { get; init; }

    /// <summary>Whether the logits of all steps are given as the model computes them; false by default.</summary>
    public bool? OutputLogits { get; init; }

    /// <summary>The id that fills rows up; the first of <see cref="EosTokenIds"/> by default.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>The id that begins a text: the prompt where none is given.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>The ids that end a row; none by default.</summary>
    public IReadOnlyList<int>? EosTokenIds { get; init => field = ValueList.OrNull(value); }

    /// <summary>The seed of sampling: the same gives the same text, in whatever batch a row is. By default every call has another. No part of the file.</summary>
    public long? Seed { get; init; }

    /// <summary>What else the file says, as pairs of a key and its JSON: nothing here reads it, and it is written back.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> OtherKeys { get; init => field = new ValueList<KeyValuePair<string, string>>(value); } =
        new ValueList<KeyValuePair<string, string>>([]);

    /// <summary>Reads a <c>generation_config.json</c>.</summary>
    /// <param name="json">Its content, UTF-8.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="FormatException">It is not JSON, or a value is of the wrong kind.</exception>
    public static GenerationConfig Parse(ReadOnlySpan<byte> json, string source = GenerationConfigFile.Name)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException($"{source}: expected a JSON object, found {document.RootElement.ValueKind}.");
            return GenerationConfigKeys.Read(new ConfigReader(document.RootElement, source));
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{source}: not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>Reads the <c>generation_config.json</c> of a model's folder; a configuration that says nothing where there is none.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="FormatException">It is not JSON, or a value is of the wrong kind.</exception>
    public static GenerationConfig Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return GenerationConfigFile.Read(folder) is { } content ? Parse(content, Path.Combine(folder, GenerationConfigFile.Name)) : new GenerationConfig();
    }

    /// <summary>The content of a <c>generation_config.json</c> that says the same; <see cref="Seed"/> is left out.</summary>
    public byte[] ToJson() => JsonFile.Write(json => GenerationConfigKeys.Write(this, json));

    /// <summary>This configuration, with what another one says where this one says nothing.</summary>
    /// <param name="other">The other one.</param>
    public GenerationConfig Over(GenerationConfig other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return GenerationConfigKeys.Combine(this, other);
    }
}
