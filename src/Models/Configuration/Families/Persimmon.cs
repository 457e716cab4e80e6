namespace MLComponents.Models;

/// <summary>Persimmon: norms of queries and keys, squared ReLU, one interleaved projection, biases.</summary>
internal sealed class Persimmon : DecoderFamily
{
    /// <inheritdoc/>
    public override string ModelType => "persimmon";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        FinalNorm = "final_layernorm",
        QueryKeyValue = "query_key_value",
        AttentionOutput = "dense",
        Up = "dense_h_to_4h",
        Down = "dense_4h_to_h",
    };

    /// <inheritdoc/>
    protected override string ClassPrefix => "Persimmon";

    /// <inheritdoc/>
    protected override RopeSpelling Rope => new() { Fraction = "partial_rotary_factor", DefaultFraction = 0.5 };

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("layer_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        ConfigKey.Flag("qk_layernorm", c => c.QueryKeyNorm, (c, v) => c with { QueryKeyNorm = v }),
        ConfigKey.Number("hidden_dropout", c => c.FeedForwardDropout, (c, v) => c with { FeedForwardDropout = v }),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 16384,
        QueryKeyValueLayout = QueryKeyValueLayout.Interleaved,
        QueryKeyValueBias = true,
        QueryKeyNorm = true,
        AttentionOutputBias = true,
        FeedForward = FeedForwardKind.Plain,
        FeedForwardBias = true,
        Activation = Activation.SquaredRelu,
        Residual = ResidualKind.Sequential,
        Norm = NormKind.Layer,
        NormEpsilon = 1e-5,
        ClassifierDropout = 0,
        FrozenPaddingRow = true,
    };
}
