using MLComponents.Tokenization;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>What text is generated from, and what belongs to one call only.</summary>
public sealed record GenerationInput
{
    /// <summary>
    /// The token ids of the prompts. Shorter ones are padded on the left, which changes nothing but what counts as length. Null, where there are no
    /// <see cref="InputsEmbeds"/>, for one prompt that is the beginning of a text.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? InputIds { get; init; }

    /// <summary>
    /// Which of the ids, or embeddings, are there to be read: false at padding. Null: all of them; but where all prompts are of one length, hold the padding's id
    /// and that is no end, the padding is left out, as the reference does.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<bool>>? AttentionMask { get; init; }

    /// <summary>Embeddings in place of ids, <c>[batch, seq, hidden]</c>.</summary>
    public torch.Tensor? InputsEmbeds { get; init; }

    /// <summary>The texts that <see cref="GenerationConfig.GuidanceScale"/> leads away from, one for each prompt.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? NegativePromptIds { get; init; }

    /// <summary>Which ids of <see cref="NegativePromptIds"/> are there to be read; all if null.</summary>
    public IReadOnlyList<IReadOnlyList<bool>>? NegativePromptAttentionMask { get; init; }

    /// <summary>Processors of your own; they come after all others that do not belong to sampling.</summary>
    public IReadOnlyList<LogitsProcessor> LogitsProcessors { get; init; } = [];

    /// <summary>What may be written: texts of a regular expression, choices or JSON of a schema; or null for anything.</summary>
    public OutputConstraint? Constraint { get; init; }

    /// <summary>Which tokens may come next, or null for all.</summary>
    public AllowedTokens? AllowedTokens { get; init; }

    /// <summary>When a row ends, beside what the configuration says.</summary>
    public IReadOnlyList<StoppingCriterion> StoppingCriteria { get; init; } = [];

    /// <summary>A smaller model that proposes tokens, which the model then checks several at a time. For one prompt.</summary>
    public CausalLanguageModel? AssistantModel { get; init; }

    /// <summary>
    /// The tokenizer of <see cref="AssistantModel"/>, where it is another than <see cref="Tokenizer"/>: what it proposes is then passed on as text. Null where both models
    /// have the same tokens.
    /// </summary>
    public PretrainedTokenizer? AssistantTokenizer { get; init; }

    /// <summary>What the prompts begin with, computed before; it is left as it is. For one prefix of all prompts, or one for each.</summary>
    public PromptCache? Cache { get; init; }

    /// <summary>Whether <see cref="GenerationOutput.Cache"/> is wanted.</summary>
    public bool ReturnCache { get; init; }

    /// <summary>The tokenizer, for <see cref="GenerationConfig.StopStrings"/>, <see cref="GenerationConfig.TokenHealing"/> and <see cref="AssistantTokenizer"/>.</summary>
    public PretrainedTokenizer? Tokenizer { get; init; }

    /// <summary>Takes the tokens as they come. For one prompt, without beams.</summary>
    public ITokenStreamer? Streamer { get; init; }

    /// <summary>
    /// A seed for each text in the order of the results, in place of <see cref="GenerationConfig.Seed"/>: a row with the same seed gets the same text whatever the
    /// others are.
    /// </summary>
    public IReadOnlyList<long>? Seeds { get; init; }
}
