namespace MLComponents.Models;

/// <summary>Phi-3, Phi-3.5 and Phi-4-mini: as Llama, with the projections of a layer stacked into one matrix each.</summary>
internal sealed class Phi3 : DecoderFamily
{
    /// <inheritdoc/>
    public override string ModelType => "phi3";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new() { HeadAliases = new Dictionary<string, string> { ["classifier"] = "score" } };

    /// <inheritdoc/>
    protected override string ClassPrefix => "Phi3";

    /// <inheritdoc/>
    protected override RopeSpelling Rope => new() { Fraction = "partial_rotary_factor", DefaultFraction = 1, OldLongRope = ["su", "yarn"] };

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("rms_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        ConfigKey.Number("resid_pdrop", c => c.FeedForwardDropout, (c, v) => c with { AttentionOutputDropout = v, FeedForwardDropout = v }),

        // All layers slide, or none. The file's embd_pdrop is not used by the reference.
        new ConfigKey(
            (config, json) => json.IntOrNull("sliding_window") is { } window
                ? config with { SlidingWindow = window, SlidingLayers = [.. Enumerable.Repeat(true, config.LayerCount)] }
                : config,
            (config, json) => json.WriteNumberOrNull("sliding_window", config.SlidingWindow)),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 4096,
        QueryKeyValueLayout = QueryKeyValueLayout.Stacked,
        FeedForward = FeedForwardKind.StackedGated,
        Activation = Activation.Silu,
        Residual = ResidualKind.Sequential,
        Norm = NormKind.RootMeanSquare,
        NormEpsilon = 1e-5,
        FrozenPaddingRow = true,
    };
}
