namespace MLComponents.Models;

/// <summary>What the modules of a family are called in its checkpoints. The defaults are the names that most families use.</summary>
internal sealed class TensorNames
{
    private readonly Lazy<string[]> _bases;
    private readonly Lazy<HashSet<string>> _heads;

    public TensorNames()
    {
        // Longest first: a name may begin with another.
        _bases = new(() => [.. BaseByHead!.Values.Append(Base!).Distinct().OrderByDescending(name => name.Length)]);
        _heads = new(() => [.. Enum.GetValues<ModelHead>().Select(HeadOf)]);
    }

    /// <summary>The decoder inside a model with a head; a head's own decoder name, where it has one, is in <see cref="BaseByHead"/>.</summary>
    public string Base { get; init; } = "model";

    /// <summary>Heads that call the decoder something else.</summary>
    public IReadOnlyDictionary<ModelHead, string> BaseByHead { get; init; } = new Dictionary<ModelHead, string>();

    public string TokenEmbedding { get; init; } = "embed_tokens";

    public string Layers { get; init; } = "layers";

    public string FinalNorm { get; init; } = "norm";

    public string InputNorm { get; init; } = "input_layernorm";

    /// <summary>The norm before the feed-forward layer, where it is not the one before attention.</summary>
    public string PostAttentionNorm { get; init; } = "post_attention_layernorm";

    public string Attention { get; init; } = "self_attn";

    public string Query { get; init; } = "q_proj";

    public string Key { get; init; } = "k_proj";

    public string Value { get; init; } = "v_proj";

    /// <summary>The one projection of <see cref="QueryKeyValueLayout.Stacked"/> and <see cref="QueryKeyValueLayout.Interleaved"/>.</summary>
    public string QueryKeyValue { get; init; } = "qkv_proj";

    public string QueryNorm { get; init; } = "q_layernorm";

    public string KeyNorm { get; init; } = "k_layernorm";

    public string AttentionOutput { get; init; } = "o_proj";

    public string FeedForward { get; init; } = "mlp";

    public string Gate { get; init; } = "gate_proj";

    public string Up { get; init; } = "up_proj";

    /// <summary>The one projection of <see cref="FeedForwardKind.StackedGated"/>.</summary>
    public string GateUp { get; init; } = "gate_up_proj";

    public string Down { get; init; } = "down_proj";

    public string LanguageModelHead { get; init; } = "lm_head";

    public string SequenceClassificationHead { get; init; } = "score";

    public string TokenClassificationHead { get; init; } = "score";

    public string QuestionAnsweringHead { get; init; } = "qa_outputs";

    /// <summary>Other names that heads have or had in some checkpoints, with the name here.</summary>
    public IReadOnlyDictionary<string, string> HeadAliases { get; init; } = new Dictionary<string, string>();

    /// <summary>Endings of keys that old checkpoints carry and nobody reads.</summary>
    public IReadOnlyList<string> IgnoredEndings { get; init; } = [".rotary_emb.inv_freq"];

    public string BaseOf(ModelHead head) => BaseByHead.GetValueOrDefault(head, Base);

    public string HeadOf(ModelHead head) => head switch
    {
        ModelHead.CausalLanguageModel => LanguageModelHead,
        ModelHead.SequenceClassification => SequenceClassificationHead,
        ModelHead.TokenClassification => TokenClassificationHead,
        ModelHead.QuestionAnswering => QuestionAnsweringHead,
        _ => throw new ArgumentOutOfRangeException(nameof(head), head, "Not a head."),
    };

    /// <summary>
    /// A tensor's key in the one form that all checkpoints of the family have in common: without the decoder's name, whichever of its names it is;
    /// a head's key is marked with ^, see <see cref="IsHead"/>.
    /// </summary>
    public string Canonical(string key)
    {
        foreach (string prefix in _bases.Value)
            if (key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length && key[prefix.Length] == '.') return key[(prefix.Length + 1)..];
        string first = key.Split('.', 2)[0];
        if (HeadAliases.TryGetValue(first, out string? name)) return $"^{name}{key[first.Length..]}";
        return _heads.Value.Contains(first) ? "^" + key : key;
    }

    /// <summary>Whether a canonical key is that of a head.</summary>
    public static bool IsHead(string canonical) => canonical.StartsWith('^');
}
