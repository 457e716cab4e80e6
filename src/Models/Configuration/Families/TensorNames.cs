namespace MLComponents.Models;

/// <summary>What the modules of a family are called in its checkpoints.</summary>
internal sealed record TensorNames
{
    /// <summary>The decoder inside a model with a head; a head's own decoder name, where it has one, is in <see cref="BaseByHead"/>.</summary>
    public required string Base { get; init; }

    /// <summary>Heads that call the decoder something else.</summary>
    public IReadOnlyDictionary<ModelHead, string> BaseByHead { get; init; } = new Dictionary<ModelHead, string>();

    public required string TokenEmbedding { get; init; }

    public required string Layers { get; init; }

    public required string FinalNorm { get; init; }

    public required string InputNorm { get; init; }

    public required string PostAttentionNorm { get; init; }

    public required string Attention { get; init; }

    public required string Query { get; init; }

    public required string Key { get; init; }

    public required string Value { get; init; }

    public required string AttentionOutput { get; init; }

    public required string FeedForward { get; init; }

    public required string Gate { get; init; }

    public required string Up { get; init; }

    public required string Down { get; init; }

    public required string LanguageModelHead { get; init; }

    public required string SequenceClassificationHead { get; init; }

    public required string TokenClassificationHead { get; init; }

    public required string QuestionAnsweringHead { get; init; }

    /// <summary>Endings of keys that old checkpoints carry and nobody reads.</summary>
    public IReadOnlyList<string> IgnoredEndings { get; init; } = [];

    public string BaseOf(ModelHead head) => BaseByHead.GetValueOrDefault(head, Base);

    public string HeadOf(ModelHead head) => head switch
    {
        ModelHead.CausalLanguageModel => LanguageModelHead,
        ModelHead.SequenceClassification => SequenceClassificationHead,
        ModelHead.TokenClassification => TokenClassificationHead,
        ModelHead.QuestionAnswering => QuestionAnsweringHead,
        _ => throw new ArgumentOutOfRangeException(nameof(head), head, "Not a head."),
    };

    /// <summary>Every name a decoder goes by, longest first.</summary>
    public IEnumerable<string> AllBases => BaseByHead.Values.Append(Base).Distinct().OrderByDescending(name => name.Length);

    /// <summary>Every name a head goes by.</summary>
    public IEnumerable<string> AllHeads => Enum.GetValues<ModelHead>().Select(HeadOf).Distinct();
}
