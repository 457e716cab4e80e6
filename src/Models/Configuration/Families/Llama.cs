namespace MLComponents.Models;

/// <summary>Llama and what is built like it: RMS norms, grouped queries, a gated feed-forward layer, rotary positions.</summary>
internal sealed class Llama : DecoderFamily
{
    /// <inheritdoc/>
    public override string ModelType => "llama";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        BaseByHead = new Dictionary<ModelHead, string> { [ModelHead.QuestionAnswering] = "transformer" },
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> LoraTargets => ["q_proj", "v_proj"];

    /// <inheritdoc/>
    protected override string ClassPrefix => "Llama";

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("rms_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        ConfigKey.Flag("attention_bias", c => c.QueryKeyValueBias, (c, v) => c with { QueryKeyValueBias = v, AttentionOutputBias = v }),
        ConfigKey.Flag("mlp_bias", c => c.FeedForwardBias, (c, v) => c with { FeedForwardBias = v }),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 2048,
        QueryKeyValueLayout = QueryKeyValueLayout.Separate,
        FeedForward = FeedForwardKind.Gated,
        Activation = Activation.Silu,
        Residual = ResidualKind.Sequential,
        Norm = NormKind.RootMeanSquare,
        NormEpsilon = 1e-6,
        FrozenPaddingRow = true,
    };
}
