using System.Buffers;
using System.Text.Json;
using TorchSharp;

namespace MLComponents.Models;

/// <summary>Everything that makes one decoder different from another, as values: what a <c>config.json</c> says, whatever its spelling.</summary>
/// <remarks>Token counts are tokens, sizes are elements, dropouts are probabilities from 0 up to, but not including, 1.</remarks>
public sealed record DecoderConfig
{
    /// <summary>The family, as <c>model_type</c> spells it.</summary>
    public required string ModelType { get; init; }

    /// <summary>The number of token ids.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The size of a hidden state.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The size inside the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>The number of blocks.</summary>
    public required int LayerCount { get; init; }

    /// <summary>The number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>The number of key and value heads; a divisor of <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>The size of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>The longest sequence the model was made for.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>How the projections to queries, keys and values are stored.</summary>
    public required QueryKeyValueLayout QueryKeyValueLayout { get; init; }

    /// <summary>What the feed-forward layers compute.</summary>
    public required FeedForwardKind FeedForward { get; init; }

    /// <summary>The function inside the feed-forward layers.</summary>
    public required Activation Activation { get; init; }

    /// <summary>How the layers of a block are added up.</summary>
    public required ResidualKind Residual { get; init; }

    /// <summary>The norms before, between and after the layers.</summary>
    public required NormKind Norm { get; init; }

    /// <summary>The ε of the norms.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>The rotary position embedding.</summary>
    public required RopeParameters Rope { get; init; }

    /// <summary>Whether each query and key goes through a <see cref="NormKind.Layer"/> norm of the size of a head before it is rotated.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the projection after attention has a bias.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Whether the projections of the feed-forward layers have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether the projection to the vocabulary has a bias.</summary>
    public bool LanguageModelHeadBias { get; init; }

    /// <summary>How many tokens, itself included, a token of a sliding layer sees; null if no layer slides.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Which layers slide; empty if none does.</summary>
    public IReadOnlyList<bool> SlidingLayers { get; init => field = new ValueList<bool>(value); } = new ValueList<bool>([]);

    /// <summary>Whether the projection to the vocabulary is the token embedding.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Whether a token sees only itself and what is before it.</summary>
    public bool IsCausal { get; init; } = true;

    /// <summary>Whether the embedding of <see cref="PadTokenId"/> gets no gradient through the embedding.</summary>
    public bool FrozenPaddingRow { get; init; }

    /// <summary>The dropout of token embeddings.</summary>
    public double EmbeddingDropout { get; init; }

    /// <summary>The dropout of attention weights.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>The dropout of what attention adds to the hidden state.</summary>
    public double AttentionOutputDropout { get; init; }

    /// <summary>The dropout of what a feed-forward layer adds to the hidden state.</summary>
    public double FeedForwardDropout { get; init; }

    /// <summary>The dropout before a token classification head.</summary>
    public double ClassifierDropout { get; init; }

    /// <summary>The standard deviation of fresh weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The id that fills rows up, or null.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>The id that starts a text, or null.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>The ids that end a text; may be empty.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init => field = new ValueList<int>(value); } = new ValueList<int>([]);

    /// <summary>The element type the weights are stored in, or null if the file does not say.</summary>
    public torch.ScalarType? DType { get; init; }

    /// <summary>The names of the classes, in the order of the head's outputs.</summary>
    public IReadOnlyList<string> LabelNames { get; init => field = new ValueList<string>(value); } = new ValueList<string>(["LABEL_0", "LABEL_1"]);

    /// <summary>What the outputs of a sequence classifier mean, or null to tell it from the labels.</summary>
    public ProblemType? ProblemType { get; init; }

    /// <summary>
    /// What else the <c>config.json</c> says, as pairs of a key and its JSON, ordered by key: nothing here reads it, and it is written back.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> OtherKeys { get; init => field = new ValueList<KeyValuePair<string, string>>(value); } =
        new ValueList<KeyValuePair<string, string>>([]);

    /// <summary>The number of outputs of a classifier.</summary>
    public int LabelCount => LabelNames.Count;

    /// <summary>Reads a configuration.</summary>
    /// <param name="folderOrConfigJson">A model's folder, or its <c>config.json</c>.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="FormatException">The file is not JSON, or a value is missing, of the wrong kind or impossible.</exception>
    /// <exception cref="NotSupportedException">The family, activation, element type or kind of rotary embedding is not supported, or the weights are quantized.</exception>
    public static DecoderConfig Load(string folderOrConfigJson)
    {
        ArgumentException.ThrowIfNullOrEmpty(folderOrConfigJson);
        string path = Directory.Exists(folderOrConfigJson) ? Path.Combine(folderOrConfigJson, ModelFolder.ConfigName) : folderOrConfigJson;
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no {path}; expected a Hugging Face model folder with a {ModelFolder.ConfigName}.", path);
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a configuration that is in memory.</summary>
    /// <param name="json">The content of a <c>config.json</c>, UTF-8.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="FormatException">It is not JSON, or a value is missing, of the wrong kind or impossible.</exception>
    /// <exception cref="NotSupportedException">The family, activation, element type or kind of rotary embedding is not supported, or the weights are quantized.</exception>
    public static DecoderConfig Parse(ReadOnlySpan<byte> json, string source = ModelFolder.ConfigName)
    {
        try
        {
            using var document = JsonDocument.Parse(json.ToArray());
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException($"{source}: expected a JSON object, found {document.RootElement.ValueKind}.");
            var reader = new ConfigReader(document.RootElement, source);
            string modelType = reader.StringOrNull("model_type")
                ?? throw new FormatException($"{source}: the key model_type is missing; it names the family of the model.");
            DecoderFamily family = DecoderFamily.Of(modelType, source);
            if (reader.Has("quantization_config"))
                throw new NotSupportedException($"{source}: quantization_config is present; quantized weights are not supported. Use the model that was not quantized.");
            DecoderConfig config = family.Read(reader);
            config.Validate(source);
            return config;
        }
        catch (JsonException exception)
        {
            throw new FormatException($"{source}: not valid JSON: {exception.Message}", exception);
        }
    }

    /// <summary>The configuration with so many labels; as it is where that is their number already or null.</summary>
    internal DecoderConfig WithLabelCount(int? labelCount) =>
        labelCount is not { } count || count == LabelCount
            ? this
            : this with { LabelNames = [.. Enumerable.Range(0, count).Select(label => $"LABEL_{label}")], ProblemType = null };

    /// <summary>The <c>config.json</c> of a model, in a spelling that old and new readers understand.</summary>
    /// <param name="head">The head that it is for.</param>
    /// <exception cref="NotSupportedException">The family is not supported, or its <c>config.json</c> cannot express the configuration.</exception>
    public byte[] ToJson(ModelHead head = ModelHead.CausalLanguageModel)
    {
        this.CheckThatItCanBeSaved();
        return WriteJson(head);
    }

    /// <summary>As <see cref="ToJson"/>, without checking that nothing is lost.</summary>
    internal byte[] WriteJson(ModelHead head)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            DecoderFamily family = DecoderFamily.Of(ModelType, nameof(ModelType));
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue(family.Architecture(head));
            json.WriteEndArray();
            json.WriteString("model_type", ModelType);
            family.Write(this, head, json);
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    /// <summary>Whether a layer slides.</summary>
    internal bool IsSliding(int layer) => layer < SlidingLayers.Count && SlidingLayers[layer];

    /// <summary>How many tokens, itself included, a token of a layer sees; null if it sees all before it.</summary>
    internal int? WindowOf(int layer) => IsSliding(layer) ? SlidingWindow : null;
}
