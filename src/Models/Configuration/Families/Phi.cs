namespace MLComponents.Models;

/// <summary>Phi-1, Phi-1.5 and Phi-2: attention and feed-forward layer side by side behind one norm, biases everywhere.</summary>
internal sealed class Phi : DecoderFamily
{
    /// <inheritdoc/>
    public override string ModelType => "phi";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        FinalNorm = "final_layernorm",
        AttentionOutput = "dense",
        Up = "fc1",
        Down = "fc2",
        HeadAliases = new Dictionary<string, string> { ["classifier"] = "score" },
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> LoraTargets => ["q_proj", "v_proj", "fc1", "fc2"];

    /// <inheritdoc/>
    protected override string ClassPrefix => "Phi";

    /// <inheritdoc/>
    protected override RopeSpelling Rope => new() { Fraction = "partial_rotary_factor", DefaultFraction = 0.5 };

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("layer_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        ConfigKey.Flag("qk_layernorm", c => c.QueryKeyNorm, (c, v) => c with { QueryKeyNorm = v }),
        ConfigKey.Number("embd_pdrop", c => c.EmbeddingDropout, (c, v) => c with { EmbeddingDropout = v }),
        ConfigKey.Number("resid_pdrop", c => c.FeedForwardDropout, (c, v) => c with { AttentionOutputDropout = v, FeedForwardDropout = v }),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 2048,
        QueryKeyValueLayout = QueryKeyValueLayout.Separate,
        QueryKeyValueBias = true,
        AttentionOutputBias = true,
        FeedForward = FeedForwardKind.Plain,
        FeedForwardBias = true,
        Activation = Activation.GeluTanh,
        Residual = ResidualKind.ParallelOneNorm,
        Norm = NormKind.Layer,
        NormEpsilon = 1e-5,
        LanguageModelHeadBias = true,
        FrozenPaddingRow = true,
    };
}
