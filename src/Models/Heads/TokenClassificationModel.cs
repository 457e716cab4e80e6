using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A decoder that scores each token.</summary>
public sealed class TokenClassificationModel : PretrainedModel
{
    private readonly Linear _score;

    /// <summary>A model with fresh weights.</summary>
    /// <param name="config">What to make; <see cref="DecoderConfig.LabelNames"/> says how many outputs.</param>
    /// <param name="seed">Equal seeds give equal weights.</param>
    /// <param name="dtype">The element type of the weights; the configuration's, else Float32, if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The configuration contradicts itself.</exception>
    public TokenClassificationModel(
        DecoderConfig config, long seed = 0, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct)
        : this(config, new WeightPlacement(dtype, device, attention, seed), initialize: true)
    {
    }

    private TokenClassificationModel(DecoderConfig config, WeightPlacement storage, bool initialize)
        : base(config, ModelHead.TokenClassification, storage)
    {
        _score = RegisterHead(config.LabelCount, hasBias: true);
        Complete(storage, initialize);
    }

    /// <summary>Reads a Hugging Face model folder.</summary>
    /// <param name="folder">The folder, of a model with any head or none; a missing head is fresh and reported.</param>
    /// <param name="labelCount">The number of labels; the folder's if null. Another number than the folder's makes the head fresh.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <param name="seed">The seed of a fresh head.</param>
    /// <param name="ignoreMismatchedSizes">
    /// Whether to initialise weights of the decoder that the checkpoint does not have, or has in another shape, instead of refusing it; the report lists them. Sizes
    /// in the configuration are then believed.
    /// </param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">The folder has no configuration or no weights.</exception>
    /// <exception cref="FormatException">A file is broken, or the weights do not fit the configuration.</exception>
    /// <exception cref="NotSupportedException">The family, or the form that the weights are stored in, is not supported.</exception>
    public static TokenClassificationModel Load(
        string folder, int? labelCount = null, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, long seed = 0,
        bool ignoreMismatchedSizes = false)
    {
        if (labelCount is { } count) ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(labelCount));
        return ModelFolder.Load(
            folder, config => config.WithLabelCount(labelCount), Create,
            new WeightPlacement(dtype, device, attention, seed, ignoreMismatchedSizes));
    }

    /// <summary>Reads a folder as another configuration; what does not fit it is fresh.</summary>
    internal static TokenClassificationModel Load(string folder, Func<DecoderConfig, DecoderConfig> adapt, WeightPlacement storage) =>
        ModelFolder.Load(folder, adapt, Create, storage);

    /// <summary>As the other, from memory.</summary>
    internal static TokenClassificationModel Load(ReadOnlySpan<byte> configJson, Stream weights, Func<DecoderConfig, DecoderConfig> adapt, WeightPlacement storage) =>
        ModelFolder.Load(configJson, weights, adapt, Create, storage);

    /// <summary>Reads a model from memory.</summary>
    /// <param name="configJson">The content of its <c>config.json</c>.</param>
    /// <param name="weights">The content of its <c>model.safetensors</c>; need not seek.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The content is broken, or the weights do not fit the configuration.</exception>
    public static TokenClassificationModel Load(
        ReadOnlySpan<byte> configJson, Stream weights, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct) =>
        Load(configJson, weights, static config => config, new WeightPlacement(dtype, device, attention, 0));

    /// <summary>Scores each token.</summary>
    /// <param name="inputIds"><c>[batch, seq]</c>, Int64.</param>
    /// <param name="attentionMask">Null, or <c>[batch, seq]</c> with 0 at padding.</param>
    /// <param name="positionIds">Null, or <c>[batch, seq]</c>; see <see cref="DecoderInput.PositionIds"/>.</param>
    /// <returns>Logits <c>[batch, seq, labels]</c>.</returns>
    public Tensor forward(Tensor inputIds, Tensor? attentionMask = null, Tensor? positionIds = null)
    {
        using var scope = NewDisposeScope();
        using DecoderOutput output = Decoder.Forward(new DecoderInput { InputIds = inputIds, AttentionMask = attentionMask, PositionIds = positionIds });
        return Score(output.LastHiddenState).MoveToOuterDisposeScope();
    }

    /// <summary>Scores each token of texts however they lie.</summary>
    /// <param name="batch">The texts.</param>
    /// <returns>Logits <c>[tokens, labels]</c>, of the padding, too.</returns>
    internal Tensor Score(TextBatch batch)
    {
        using var scope = NewDisposeScope();
        return Score(Decoder.Forward(batch)).MoveToOuterDisposeScope();
    }

    /// <summary>The mean cross entropy over the tokens that have a label.</summary>
    /// <param name="logits"><c>[batch, seq, labels]</c>.</param>
    /// <param name="labels"><c>[batch, seq]</c>, Int64, <see cref="CausalLanguageModel.IgnoredLabel"/> where there is none.</param>
    /// <param name="classWeights">What each class counts, <c>[labels]</c>; the mean is then weighted, too.</param>
    /// <param name="labelSmoothing">The part of a token's probability, from 0 to 1, that is spread over all classes.</param>
    /// <returns>A scalar, Float32; NaN if no token has a label.</returns>
    public static Tensor Loss(Tensor logits, Tensor labels, Tensor? classWeights = null, double labelSmoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        return CrossEntropy.Mean(logits.reshape(-1, logits.shape[2]), labels.reshape(-1), classWeights, labelSmoothing).MoveToOuterDisposeScope();
    }

    private Tensor Score(Tensor hidden)
    {
        if (training && Config.ClassifierDropout > 0) hidden = nn.functional.dropout(hidden, Config.ClassifierDropout);
        return _score.forward(hidden);
    }

    /// <summary>A model that gets its weights from a checkpoint.</summary>
    internal static TokenClassificationModel Create(DecoderConfig config, WeightPlacement storage) => new(config, storage, initialize: false);
}
