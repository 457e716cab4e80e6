using System.Globalization;
using System.Text.Json;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>The keys of a <c>config.json</c> that every family spells alike.</summary>
internal static class DecoderConfigKeys
{
    /// <summary>What belongs to a file rather than to the model, or means nothing for a decoder: not kept.</summary>
    private static readonly HashSet<string> s_forgotten =
        ["_name_or_path", "architectures", "auto_map", "is_decoder", "label2id", "num_labels", "transformers_version"];

    private static readonly (string Name, ProblemType Type)[] s_problemTypes =
    [
        ("single_label_classification", ProblemType.SingleLabelClassification),
        ("multi_label_classification", ProblemType.MultiLabelClassification),
        ("regression", ProblemType.Regression),
    ];

    /// <summary>What every family may say, and has a default for.</summary>
    public static IReadOnlyList<ConfigKey> Common { get; } =
    [
        ConfigKey.Integer("max_position_embeddings", c => c.MaxPositions, (c, v) => c with { MaxPositions = v }),
        new ConfigKey(
            (config, json) => json.StringOrNull("hidden_act") is { } name ? config with { Activation = ActivationFunctions.Parse(name, json.Source) } : config,
            (config, json) => json.WriteString("hidden_act", ActivationFunctions.NameOf(config.Activation))),
        ConfigKey.Number("initializer_range", c => c.InitializerRange, (c, v) => c with { InitializerRange = v }),
        ConfigKey.Number("attention_dropout", c => c.AttentionDropout, (c, v) => c with { AttentionDropout = v }),
        ConfigKey.Number("classifier_dropout", c => c.ClassifierDropout, (c, v) => c with { ClassifierDropout = v }, otherwise: "hidden_dropout"),
        ConfigKey.Flag("tie_word_embeddings", c => c.TieWordEmbeddings, (c, v) => c with { TieWordEmbeddings = v }),
        new ConfigKey(
            (config, json) => config with { IsCausal = json.Bool("is_causal", config.IsCausal) },
            (config, json) =>
            {
                if (!config.IsCausal) json.WriteBoolean("is_causal", false);
            }),
    ];

    /// <summary>Reads the sizes, which every file has to say. The rest of the configuration is for the family to fill in.</summary>
    public static DecoderConfig ReadSizes(ConfigReader json, string modelType)
    {
        int hiddenSize = json.Int("hidden_size");
        int headCount = json.Count("num_attention_heads", DecoderConfigRules.MaximumSize);
        return new DecoderConfig
        {
            ModelType = modelType,
            VocabularySize = json.Int("vocab_size"),
            HiddenSize = hiddenSize,
            IntermediateSize = json.Int("intermediate_size"),
            LayerCount = json.Count("num_hidden_layers", DecoderConfigRules.MaximumLayers),
            HeadCount = headCount,
            KeyValueHeadCount = json.IntOrNull("num_key_value_heads") ?? headCount,
            HeadSize = json.IntOrNull("head_dim") ?? DecoderConfigRules.DivideIntoHeads(hiddenSize, headCount, json.Source),
            MaxPositions = default,
            QueryKeyValueLayout = default,
            FeedForward = default,
            Activation = default,
            Residual = default,
            Norm = default,
            NormEpsilon = default,
            Rope = new DefaultRope(),
        };
    }

    /// <summary>Writes the sizes.</summary>
    public static void WriteSizes(this DecoderConfig config, Utf8JsonWriter json)
    {
        json.WriteNumber("vocab_size", config.VocabularySize);
        json.WriteNumber("hidden_size", config.HiddenSize);
        json.WriteNumber("intermediate_size", config.IntermediateSize);
        json.WriteNumber("num_hidden_layers", config.LayerCount);
        json.WriteNumber("num_attention_heads", config.HeadCount);
        if (config.QueryKeyValueLayout != QueryKeyValueLayout.Interleaved) json.WriteNumber("num_key_value_heads", config.KeyValueHeadCount);
        if (config.HeadSize * config.HeadCount != config.HiddenSize) json.WriteNumber("head_dim", config.HeadSize);
    }

    /// <summary>Adds what is not about the decoder's architecture, and what no other key has asked for.</summary>
    public static DecoderConfig WithCommonKeys(this DecoderConfig config, ConfigReader json) => config with
    {
        PadTokenId = json.IntOrNull("pad_token_id"),
        BosTokenId = json.IntOrNull("bos_token_id"),
        EosTokenIds = json.Ids("eos_token_id"),
        DType = json.DType(),
        LabelNames = json.LabelNames("id2label")
            ?? [.. Enumerable.Range(0, json.CountOrNull("num_labels", DecoderConfigRules.MaximumSize) ?? 2).Select(label => $"LABEL_{label}")],
        ProblemType = ReadProblemType(json),
        OtherKeys = [.. json.NotAsked().Where(pair => !s_forgotten.Contains(pair.Key))],
    };

    /// <summary>Writes what <see cref="WithCommonKeys"/> reads.</summary>
    public static void WriteCommonKeys(this DecoderConfig config, Utf8JsonWriter json, ModelHead head)
    {
        json.WriteNumberOrNull("pad_token_id", config.PadTokenId);
        json.WriteNumberOrNull("bos_token_id", config.BosTokenId);
        if (config.EosTokenIds.Count > 1)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int id in config.EosTokenIds) json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        else
        {
            json.WriteNumberOrNull("eos_token_id", config.EosTokenIds.Count == 0 ? null : config.EosTokenIds[0]);
        }

        if (config.DType is { } dtype)
        {
            json.WriteString("dtype", NameOf(dtype));
            json.WriteString("torch_dtype", NameOf(dtype));
        }

        if (head is ModelHead.SequenceClassification or ModelHead.TokenClassification) WriteLabels(config, json);
        if (config.ProblemType is { } problem) json.WriteString("problem_type", s_problemTypes.First(entry => entry.Type == problem).Name);
        foreach (var (name, value) in config.OtherKeys)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value);
        }
    }

    /// <summary>Writes a number, or null where there is none.</summary>
    public static void WriteNumberOrNull(this Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }

    /// <summary>Writes a number that the reference takes for a real one, <c>1.0</c> and not <c>1</c>: it checks types.</summary>
    public static void WriteReal(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteReal(value);
    }

    /// <summary>As the other, inside an array.</summary>
    public static void WriteReal(this Utf8JsonWriter json, double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        json.WriteRawValue(text.AsSpan().IndexOfAny('.', 'E') < 0 ? $"{text}.0" : text);
    }

    /// <summary>The name of an element type in configurations.</summary>
    public static string NameOf(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float16 => "float16",
        torch.ScalarType.BFloat16 => "bfloat16",
        torch.ScalarType.Float64 => "float64",
        _ => "float32",
    };

    private static ProblemType? ReadProblemType(ConfigReader json)
    {
        if (json.StringOrNull("problem_type") is not { } name) return null;
        foreach (var entry in s_problemTypes)
            if (entry.Name == name) return entry.Type;
        throw new FormatException($"{json.Source}: problem_type is \"{name}\"; expected {string.Join(", ", s_problemTypes.Select(entry => entry.Name))}.");
    }

    private static void WriteLabels(DecoderConfig config, Utf8JsonWriter json)
    {
        json.WriteStartObject("id2label");
        for (int label = 0; label < config.LabelCount; label++) json.WriteString($"{label}", config.LabelNames[label]);
        json.WriteEndObject();
        json.WriteStartObject("label2id");

        // Two classes may bear one name; a JSON key stands once, for the last of them, as in the reference.
        foreach (var (name, label) in config.LabelNames.Select((name, label) => (name, label)).GroupBy(pair => pair.name).Select(group => group.Last()))
            json.WriteNumber(name, label);
        json.WriteEndObject();
    }
}
