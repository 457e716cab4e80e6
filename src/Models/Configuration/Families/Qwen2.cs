using System.Text.Json;

namespace MLComponents.Models;

/// <summary>Qwen2 and Qwen2.5: RMS norms, grouped queries with biases, a gated feed-forward layer, rotary positions.</summary>
internal sealed class Qwen2 : DecoderFamily
{
    private const string SlidingLayer = "sliding_attention";
    private const string FullLayer = "full_attention";

    /// <inheritdoc/>
    public override string ModelType => "qwen2";

    /// <inheritdoc/>
    public override TensorNames Names { get; } = new()
    {
        Base = "model",
        BaseByHead = new Dictionary<ModelHead, string> { [ModelHead.QuestionAnswering] = "transformer" },
        TokenEmbedding = "embed_tokens",
        Layers = "layers",
        FinalNorm = "norm",
        InputNorm = "input_layernorm",
        PostAttentionNorm = "post_attention_layernorm",
        Attention = "self_attn",
        Query = "q_proj",
        Key = "k_proj",
        Value = "v_proj",
        AttentionOutput = "o_proj",
        FeedForward = "mlp",
        Gate = "gate_proj",
        Up = "up_proj",
        Down = "down_proj",
        LanguageModelHead = "lm_head",
        SequenceClassificationHead = "score",
        TokenClassificationHead = "score",
        QuestionAnsweringHead = "qa_outputs",
        IgnoredEndings = [".rotary_emb.inv_freq"],
    };

    /// <inheritdoc/>
    public override DecoderConfig Read(ConfigReader json)
    {
        int hiddenSize = json.Int("hidden_size");
        int headCount = json.Count("num_attention_heads", DecoderConfigKeys.MaximumSize);
        int layerCount = json.Count("num_hidden_layers", DecoderConfigKeys.MaximumLayers);
        int maxPositions = json.IntOrNull("max_position_embeddings") ?? 32768;
        bool slides = json.Bool("use_sliding_window", false);
        int? window = slides ? json.IntOrNull("sliding_window") ?? 4096 : null;
        return new DecoderConfig
        {
            ModelType = ModelType,
            VocabularySize = json.Int("vocab_size"),
            HiddenSize = hiddenSize,
            IntermediateSize = json.Int("intermediate_size"),
            LayerCount = layerCount,
            HeadCount = headCount,
            KeyValueHeadCount = json.IntOrNull("num_key_value_heads") ?? headCount,
            HeadSize = json.IntOrNull("head_dim") ?? DecoderConfig.DivideIntoHeads(hiddenSize, headCount, json.Source),
            MaxPositions = maxPositions,
            Activation = ActivationFunctions.Parse(json.StringOrNull("hidden_act") ?? "silu", json.Source),
            Norm = NormKind.RootMeanSquare,
            NormEpsilon = json.DoubleOrNull("rms_norm_eps") ?? 1e-6,
            QueryKeyValueBias = true,
            Rope = RopeParameters.Read(json, defaultTheta: 10000),
            SlidingWindow = window,
            SlidingLayers = window is null ? [] : ReadSlidingLayers(json, layerCount),
            TieWordEmbeddings = json.Bool("tie_word_embeddings", false),
            IsCausal = json.Bool("is_causal", true),
            FrozenPaddingRow = true,
            AttentionDropout = json.DoubleOrNull("attention_dropout") ?? 0,
            ClassifierDropout = json.DoubleOrNull("classifier_dropout") ?? json.DoubleOrNull("hidden_dropout") ?? 0.1,
            InitializerRange = json.DoubleOrNull("initializer_range") ?? 0.02,
        }.WithCommonKeys(json);
    }

    /// <inheritdoc/>
    public override void Validate(DecoderConfig config)
    {
        Fixed(nameof(config.Norm), config.Norm, NormKind.RootMeanSquare);
        Fixed(nameof(config.QueryKeyValueBias), config.QueryKeyValueBias, true);
        Fixed(nameof(config.AttentionOutputBias), config.AttentionOutputBias, false);
        Fixed(nameof(config.FeedForwardBias), config.FeedForwardBias, false);
        Fixed(nameof(config.LanguageModelHeadBias), config.LanguageModelHeadBias, false);
        Fixed(nameof(config.FrozenPaddingRow), config.FrozenPaddingRow, true);

        void Fixed<T>(string name, T found, T expected)
        {
            if (!EqualityComparer<T>.Default.Equals(found, expected))
                throw new NotSupportedException($"{name} is {found}; models of the family {ModelType} have {expected}, and their config.json cannot say otherwise.");
        }
    }

    /// <inheritdoc/>
    public override void Write(DecoderConfig config, Utf8JsonWriter json)
    {
        json.WriteNumber("vocab_size", config.VocabularySize);
        json.WriteNumber("hidden_size", config.HiddenSize);
        json.WriteNumber("intermediate_size", config.IntermediateSize);
        json.WriteNumber("num_hidden_layers", config.LayerCount);
        json.WriteNumber("num_attention_heads", config.HeadCount);
        json.WriteNumber("num_key_value_heads", config.KeyValueHeadCount);
        if (config.HeadSize * config.HeadCount != config.HiddenSize) json.WriteNumber("head_dim", config.HeadSize);
        json.WriteNumber("max_position_embeddings", config.MaxPositions);
        json.WriteString("hidden_act", ActivationFunctions.NameOf(config.Activation));
        json.WriteNumber("rms_norm_eps", config.NormEpsilon);
        json.WriteNumber("attention_dropout", config.AttentionDropout);
        json.WriteNumber("classifier_dropout", config.ClassifierDropout);
        json.WriteNumber("initializer_range", config.InitializerRange);
        if (!config.IsCausal) json.WriteBoolean("is_causal", false);
        json.WriteBoolean("tie_word_embeddings", config.TieWordEmbeddings);
        WriteSlidingLayers(config, json);
        config.Rope.Write(json);
    }

    /// <inheritdoc/>
    public override string Architecture(ModelHead head) => head switch
    {
        ModelHead.CausalLanguageModel => "Qwen2ForCausalLM",
        ModelHead.SequenceClassification => "Qwen2ForSequenceClassification",
        ModelHead.TokenClassification => "Qwen2ForTokenClassification",
        _ => "Qwen2ForQuestionAnswering",
    };

    /// <summary>An explicit <c>layer_types</c> wins; else the layers from <c>max_window_layers</c> on slide (the rule since release 4.43).</summary>
    private static bool[] ReadSlidingLayers(ConfigReader json, int layerCount)
    {
        if (json.StringsOrNull("layer_types") is not { } types)
        {
            int firstSliding = json.IntOrNull("max_window_layers") ?? 28;
            return [.. Enumerable.Range(0, layerCount).Select(layer => layer >= firstSliding)];
        }

        if (types.FirstOrDefault(type => type is not (SlidingLayer or FullLayer)) is { } unknown)
            throw new NotSupportedException($"{json.Source}: layer_types holds \"{unknown}\"; supported are {FullLayer} and {SlidingLayer}.");

        // A model cut down to fewer layers may keep the longer list; a shorter one leaves layers undefined.
        if (types.Count < layerCount)
            throw new FormatException($"{json.Source}: layer_types has {types.Count} items for num_hidden_layers {layerCount}.");
        return [.. types.Take(layerCount).Select(type => type == SlidingLayer)];
    }

    private static void WriteSlidingLayers(DecoderConfig config, Utf8JsonWriter json)
    {
        json.WriteBoolean("use_sliding_window", config.SlidingWindow is not null);
        if (config.SlidingWindow is { } window) json.WriteNumber("sliding_window", window);
        else json.WriteNull("sliding_window");
        int sliding = Enumerable.Range(0, config.LayerCount).Count(config.IsSliding);
        json.WriteNumber("max_window_layers", config.LayerCount - sliding);
        json.WriteStartArray("layer_types");
        for (int layer = 0; layer < config.LayerCount; layer++) json.WriteStringValue(config.IsSliding(layer) ? SlidingLayer : FullLayer);
        json.WriteEndArray();
    }
}
