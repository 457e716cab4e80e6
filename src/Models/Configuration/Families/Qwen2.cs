using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Qwen2 and Qwen2.5: RMS norms, grouped queries with biases, a gated feed-forward layer, sliding windows in the upper layers.</summary>
internal sealed class Qwen2 : DecoderFamily
{
    private const string SlidingLayer = "sliding_attention";
    private const string FullLayer = "full_attention";

    /// <inheritdoc/>
    public override string ModelType => "qwen2";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        BaseByHead = new Dictionary<ModelHead, string> { [ModelHead.QuestionAnswering] = "transformer" },
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> LoraTargets => ["q_proj", "v_proj"];

    /// <inheritdoc/>
    protected override string ClassPrefix => "Qwen2";

    /// <inheritdoc/>
    protected override IReadOnlyList<ConfigKey> Keys { get; } =
    [
        ConfigKey.Number("rms_norm_eps", c => c.NormEpsilon, (c, v) => c with { NormEpsilon = v }),
        new ConfigKey(ReadSliding, WriteSliding),
    ];

    /// <inheritdoc/>
    protected override DecoderConfig Shape(DecoderConfig sizes) => sizes with
    {
        MaxPositions = 32768,
        QueryKeyValueLayout = QueryKeyValueLayout.Separate,
        QueryKeyValueBias = true,
        FeedForward = FeedForwardKind.Gated,
        Activation = Activation.Silu,
        Residual = ResidualKind.Sequential,
        Norm = NormKind.RootMeanSquare,
        NormEpsilon = 1e-6,
        FrozenPaddingRow = true,
    };

    private static DecoderConfig ReadSliding(DecoderConfig config, ConfigReader json)
    {
        int? window = json.IntOrNull("sliding_window");
        bool[] layers = ReadLayers(json, config.LayerCount);
        return json.Bool("use_sliding_window", false) ? config with { SlidingWindow = window ?? 4096, SlidingLayers = layers } : config;
    }

    /// <summary>An explicit <c>layer_types</c> wins; else the layers from <c>max_window_layers</c> on slide (the rule since release 4.43).</summary>
    private static bool[] ReadLayers(ConfigReader json, int layerCount)
    {
        int firstSliding = json.IntOrNull("max_window_layers") ?? 28;
        if (json.StringsOrNull("layer_types") is not { } types) return [.. Enumerable.Range(0, layerCount).Select(layer => layer >= firstSliding)];
        if (types.FirstOrDefault(type => type is not (SlidingLayer or FullLayer)) is { } unknown)
            throw new NotSupportedException($"{json.Source}: layer_types holds \"{unknown}\"; supported are {FullLayer} and {SlidingLayer}.");

        // A model cut down to fewer layers may keep the longer list; a shorter one leaves layers undefined.
        if (types.Count < layerCount)
            throw new FormatException($"{json.Source}: layer_types has {types.Count} items for num_hidden_layers {layerCount}.");
        return [.. types.Take(layerCount).Select(type => type == SlidingLayer)];
    }

    private static void WriteSliding(DecoderConfig config, Utf8JsonWriter json)
    {
        json.WriteBoolean("use_sliding_window", config.SlidingWindow is not null);
        json.WriteNumberOrNull("sliding_window", config.SlidingWindow);
        int sliding = Enumerable.Range(0, config.LayerCount).Count(config.IsSliding);
        json.WriteNumber("max_window_layers", config.LayerCount - sliding);
        json.WriteStartArray("layer_types");
        for (int layer = 0; layer < config.LayerCount; layer++) json.WriteStringValue(config.IsSliding(layer) ? SlidingLayer : FullLayer);
        json.WriteEndArray();
    }
}
