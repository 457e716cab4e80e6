namespace MLComponents.Models;

/// <summary>GPT-NeoX and Pythia: attention and feed-forward layer side by side, each behind a norm; one interleaved projection.</summary>
internal sealed class GptNeoX : DecoderFamily
{
    /// <inheritdoc/>
    public override string ModelType => "gpt_neox";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        Base = "gpt_neox",
        TokenEmbedding = "embed_in",
        FinalNorm = "final_layer_norm",
        Attention = "attention",
        QueryKeyValue = "query_key_value",
        AttentionOutput = "dense",
        Up = "dense_h_to_4h",
        Down = "dense_4h_to_h",
        LanguageModelHead = "embed_out",
        TokenClassificationHead = "classifier",
        HeadAliases = new Dictionary<string, string> { ["lm_head"] = "embed_out" },
        IgnoredEndings = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> LoraTargets => ["query_key_value"];

    /// <inheritdoc/>
    protected override string ClassPrefix => "GPTNeoX";

    /// <inheritdoc/>
    protected override RopeSpelling Rope => new() { Theta = "rotary_emb_base", Fraction = "rotary_pct", DefaultFraction = 0.25 };

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("layer_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        ConfigKey.Flag("attention_bias", c => c.QueryKeyValueBias, (c, v) => c with { QueryKeyValueBias = v, AttentionOutputBias = v }),
        ConfigKey.Flag(
            "use_parallel_residual", c => c.Residual == ResidualKind.Parallel, (c, v) => c with { Residual = v ? ResidualKind.Parallel : ResidualKind.Sequential }),
        ConfigKey.Number(
            "hidden_dropout", c => c.FeedForwardDropout, (c, v) => c with { EmbeddingDropout = v, AttentionOutputDropout = v, FeedForwardDropout = v }),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 2048,
        QueryKeyValueLayout = QueryKeyValueLayout.Interleaved,
        QueryKeyValueBias = true,
        AttentionOutputBias = true,
        FeedForward = FeedForwardKind.Plain,
        FeedForwardBias = true,
        Activation = Activation.Gelu,
        Residual = ResidualKind.Parallel,
        Norm = NormKind.Layer,
        NormEpsilon = 1e-5,
    };
}
