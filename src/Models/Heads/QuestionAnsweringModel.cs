using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A decoder that scores each token as the start and as the end of the answer that the text holds.</summary>
public sealed class QuestionAnsweringModel : PretrainedModel
{
    private readonly Linear _outputs;

    /// <summary>A model with fresh weights.</summary>
    /// <param name="config">What to make.</param>
    /// <param name="seed">Equal seeds give equal weights.</param>
    /// <param name="dtype">The element type of the weights; the configuration's, else Float32, if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The configuration contradicts itself.</exception>
    public QuestionAnsweringModel(
        DecoderConfig config, long seed = 0, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct)
        : this(config, new WeightPlacement(dtype, device, attention, seed), initialize: true)
    {
    }

    private QuestionAnsweringModel(DecoderConfig config, WeightPlacement storage, bool initialize)
        : base(config, ModelHead.QuestionAnswering, storage)
    {
        _outputs = RegisterHead(2, hasBias: true);
        Complete(storage, initialize);
    }

    /// <summary>Reads a Hugging Face model folder.</summary>
    /// <param name="folder">The folder, of a model with any head or none; a missing head is fresh and reported.</param>
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
    public static QuestionAnsweringModel Load(
        string folder, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, long seed = 0,
        bool ignoreMismatchedSizes = false) =>
        ModelFolder.Load(
            folder, static config => config, Create,
            new WeightPlacement(dtype, device, attention, seed, ignoreMismatchedSizes));

    /// <summary>Reads a folder as another configuration; what does not fit it is fresh.</summary>
    internal static QuestionAnsweringModel Load(string folder, Func<DecoderConfig, DecoderConfig> adapt, WeightPlacement storage) =>
        ModelFolder.Load(folder, adapt, Create, storage);

    /// <summary>As the other, from memory.</summary>
    internal static QuestionAnsweringModel Load(ReadOnlySpan<byte> configJson, Stream weights, Func<DecoderConfig, DecoderConfig> adapt, WeightPlacement storage) =>
        ModelFolder.Load(configJson, weights, adapt, Create, storage);

    /// <summary>Reads a model from memory.</summary>
    /// <param name="configJson">The content of its <c>config.json</c>.</param>
    /// <param name="weights">The content of its <c>model.safetensors</c>; need not seek.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The content is broken, or the weights do not fit the configuration.</exception>
    public static QuestionAnsweringModel Load(
        ReadOnlySpan<byte> configJson, Stream weights, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct) =>
        Load(configJson, weights, static config => config, new WeightPlacement(dtype, device, attention, 0));

    /// <summary>Scores each token.</summary>
    /// <param name="inputIds"><c>[batch, seq]</c>, Int64.</param>
    /// <param name="attentionMask">Null, or <c>[batch, seq]</c> with 0 at padding.</param>
    /// <param name="positionIds">Null, or <c>[batch, seq]</c>; see <see cref="DecoderInput.PositionIds"/>.</param>
    /// <returns>The logits of starts and of ends, each <c>[batch, seq]</c>.</returns>
    public (Tensor Start, Tensor End) forward(Tensor inputIds, Tensor? attentionMask = null, Tensor? positionIds = null)
    {
        using var scope = NewDisposeScope();
        using DecoderOutput output = Decoder.Forward(new DecoderInput { InputIds = inputIds, AttentionMask = attentionMask, PositionIds = positionIds });
        Tensor logits = _outputs.forward(output.LastHiddenState);
        return (logits.select(-1, 0).contiguous().MoveToOuterDisposeScope(), logits.select(-1, 1).contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>Scores each token of texts however they lie.</summary>
    /// <param name="batch">The texts.</param>
    /// <returns>The logits of start and end, <c>[tokens, 2]</c>, of the padding, too.</returns>
    internal Tensor Score(TextBatch batch)
    {
        using var scope = NewDisposeScope();
        return _outputs.forward(Decoder.Forward(batch)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The mean of the cross entropies of starts and ends. As in the reference, a negative position counts as 0 and one beyond the text is left out.
    /// </summary>
    /// <param name="startLogits"><c>[batch, seq]</c>.</param>
    /// <param name="endLogits"><c>[batch, seq]</c>.</param>
    /// <param name="startPositions"><c>[batch]</c>, Int64.</param>
    /// <param name="endPositions"><c>[batch]</c>, Int64.</param>
    /// <returns>A scalar, Float32; NaN if every position is beyond its text.</returns>
    public static Tensor Loss(Tensor startLogits, Tensor endLogits, Tensor startPositions, Tensor endPositions)
    {
        ArgumentNullException.ThrowIfNull(startLogits);
        ArgumentNullException.ThrowIfNull(endLogits);
        ArgumentNullException.ThrowIfNull(startPositions);
        ArgumentNullException.ThrowIfNull(endPositions);
        using var scope = NewDisposeScope();
        return ((Loss(startLogits, startPositions) + Loss(endLogits, endPositions)) / 2).MoveToOuterDisposeScope();
    }

    private static Tensor Loss(Tensor logits, Tensor positions)
    {
        long length = logits.shape[1];
        return CrossEntropy.Mean(logits, positions.view(-1).clamp(0, length), ignoredLabel: length);
    }

    /// <summary>A model that gets its weights from a checkpoint.</summary>
    internal static QuestionAnsweringModel Create(DecoderConfig config, WeightPlacement storage) => new(config, storage, initialize: false);
}
