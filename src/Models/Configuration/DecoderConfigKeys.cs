using System.Text.Json;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>The keys of a <c>config.json</c> that every family spells alike, and the checks that hold for every family.</summary>
internal static class DecoderConfigKeys
{
    /// <summary>The most elements of one dimension, far beyond any model there is, so that a product of two of them is no overflow.</summary>
    public const int MaximumSize = 1 << 24;

    /// <summary>The most layers.</summary>
    public const int MaximumLayers = 4096;

    private static readonly (string Name, ProblemType Type)[] ProblemTypes =
    [
        ("single_label_classification", ProblemType.SingleLabelClassification),
        ("multi_label_classification", ProblemType.MultiLabelClassification),
        ("regression", ProblemType.Regression),
    ];

    /// <summary>Adds what every family has.</summary>
    public static DecoderConfig WithCommonKeys(this DecoderConfig config, ConfigReader json) => config with
    {
        PadTokenId = json.IntOrNull("pad_token_id"),
        BosTokenId = json.IntOrNull("bos_token_id"),
        EosTokenIds = json.Ids("eos_token_id"),
        DType = json.DType(),
        LabelNames = json.LabelNames("id2label") ?? [.. Enumerable.Range(0, json.CountOrNull("num_labels", MaximumSize) ?? 2).Select(label => $"LABEL_{label}")],
        ProblemType = ReadProblemType(json),
    };

    /// <summary>Writes what every family has.</summary>
    public static void WriteCommonKeys(this DecoderConfig config, Utf8JsonWriter json, ModelHead head)
    {
        WriteId(json, "pad_token_id", config.PadTokenId);
        WriteId(json, "bos_token_id", config.BosTokenId);
        if (config.EosTokenIds.Count > 1)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int id in config.EosTokenIds) json.WriteNumberValue(id);
            json.WriteEndArray();
        }
        else
        {
            WriteId(json, "eos_token_id", config.EosTokenIds.Count == 0 ? null : config.EosTokenIds[0]);
        }

        if (config.DType is { } dtype)
        {
            json.WriteString("dtype", NameOf(dtype));
            json.WriteString("torch_dtype", NameOf(dtype));
        }

        if (head is ModelHead.SequenceClassification or ModelHead.TokenClassification) WriteLabels(config, json);
        if (config.ProblemType is { } problem) json.WriteString("problem_type", ProblemTypes.First(entry => entry.Type == problem).Name);
        json.WriteBoolean("use_cache", true);
    }

    /// <summary>Refuses what no model can be made of.</summary>
    /// <exception cref="FormatException">A value is out of range, or two contradict each other.</exception>
    public static void Validate(this DecoderConfig config, string source)
    {
        Bounded(config.VocabularySize, "vocab_size", MaximumSize);
        Bounded(config.HiddenSize, "hidden_size", MaximumSize);
        Bounded(config.IntermediateSize, "intermediate_size", MaximumSize);
        Bounded(config.LayerCount, "num_hidden_layers", MaximumLayers);
        Bounded(config.HeadCount, "num_attention_heads", MaximumSize);
        Bounded(config.KeyValueHeadCount, "num_key_value_heads", MaximumSize);
        Bounded(config.HeadSize, "head_dim", MaximumSize);
        Bounded((long)config.HeadCount * config.HeadSize, "num_attention_heads * head_dim", MaximumSize);
        Positive(config.MaxPositions, "max_position_embeddings");
        Bounded(config.LabelCount, "the number of labels", MaximumSize);
        if (config.HeadCount % config.KeyValueHeadCount != 0)
        {
            throw new FormatException(
                $"{source}: num_attention_heads {config.HeadCount} is not divisible by num_key_value_heads {config.KeyValueHeadCount}.");
        }

        if (!(config.NormEpsilon >= 0)) throw new FormatException($"{source}: the epsilon of the norms is {config.NormEpsilon}; expected at least 0.");
        if (!(config.InitializerRange >= 0)) throw new FormatException($"{source}: initializer_range is {config.InitializerRange}; expected at least 0.");
        Dropout(config.AttentionDropout, "attention_dropout");
        Dropout(config.ClassifierDropout, "classifier_dropout");
        if (config.SlidingWindow is { } window) Positive(window, "sliding_window");
        if (config.PadTokenId is { } pad && (pad < 0 || pad >= config.VocabularySize))
            throw new FormatException($"{source}: pad_token_id is {pad}; expected from 0 to vocab_size - 1 = {config.VocabularySize - 1}.");
        if (config.ProblemType == ProblemType.SingleLabelClassification && config.LabelCount == 1)
            throw new FormatException($"{source}: problem_type is single_label_classification with one label; expected two or more, or regression.");
        config.Rope.Validate(config.RotarySize(), config.MaxPositions, source);

        void Positive(int value, string name)
        {
            if (value <= 0) throw new FormatException($"{source}: {name} is {value}; expected at least 1.");
        }

        void Bounded(long value, string name, long maximum)
        {
            if (value < 1 || value > maximum) throw new FormatException($"{source}: {name} is {value}; expected from 1 to {maximum}.");
        }

        void Dropout(double value, string name)
        {
            if (!(value >= 0 && value < 1)) throw new FormatException($"{source}: {name} is {value}; expected from 0 to below 1.");
        }
    }

    /// <summary>How many elements of a head are rotated.</summary>
    public static int RotarySize(this DecoderConfig config) => (int)(config.HeadSize * config.Rope.RotaryFraction);

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
        foreach (var entry in ProblemTypes)
            if (entry.Name == name) return entry.Type;
        throw new FormatException($"{json.Source}: problem_type is \"{name}\"; expected {string.Join(", ", ProblemTypes.Select(entry => entry.Name))}.");
    }

    private static void WriteId(Utf8JsonWriter json, string name, int? id)
    {
        if (id is { } value) json.WriteNumber(name, value);
        else json.WriteNull(name);
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
