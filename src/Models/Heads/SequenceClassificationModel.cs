using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A decoder that scores a whole text: the hidden state of its last token, times a matrix.</summary>
public sealed class SequenceClassificationModel : PretrainedModel
{
    private readonly Linear _score;

    /// <summary>A model with fresh weights.</summary>
    /// <param name="config">What to make; <see cref="DecoderConfig.LabelNames"/> says how many outputs.</param>
    /// <param name="seed">Equal seeds give equal weights.</param>
    /// <param name="dtype">The element type of the weights; the configuration's, else Float32, if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The configuration contradicts itself.</exception>
    public SequenceClassificationModel(
        DecoderConfig config, long seed = 0, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct)
        : this(config, new WeightPlacement(dtype, device, attention, seed), initialize: true)
    {
    }

    private SequenceClassificationModel(DecoderConfig config, WeightPlacement storage, bool initialize)
        : base(config, ModelHead.SequenceClassification, storage)
    {
        _score = RegisterHead(config.LabelCount, hasBias: false);
        Complete(storage, initialize);
    }

    /// <summary>Reads a Hugging Face model folder.</summary>
    /// <param name="folder">
    /// The folder of a classifier; or of a model with another head or none, whose classification head is then fresh (<see cref="PretrainedModel.Report"/> says so).
    /// </param>
    /// <param name="labelCount">The number of outputs; the folder's if null. Another number than the folder's makes the head fresh.</param>
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
    public static SequenceClassificationModel Load(
        string folder, int? labelCount = null, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, long seed = 0,
        bool ignoreMismatchedSizes = false)
    {
        if (labelCount is { } count) ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(labelCount));
        return ModelFolder.Load(folder, config => config.WithLabelCount(labelCount), Create, new WeightPlacement(dtype, device, attention, seed, ignoreMismatchedSizes));
    }

    /// <summary>Reads a model from memory.</summary>
    /// <param name="configJson">The content of its <c>config.json</c>.</param>
    /// <param name="weights">The content of its <c>model.safetensors</c>; need not seek.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The content is broken, or the weights do not fit the configuration.</exception>
    public static SequenceClassificationModel Load(
        ReadOnlySpan<byte> configJson, Stream weights, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct) =>
        ModelFolder.Load(configJson, weights, static config => config, Create, new WeightPlacement(dtype, device, attention, 0));

    /// <summary>Scores texts with the reference's semantics: the text is scored at its rightmost token that is not padding, whatever the mask says.</summary>
    /// <param name="inputIds"><c>[batch, seq]</c>, Int64.</param>
    /// <param name="attentionMask">Null, or <c>[batch, seq]</c> with 0 at padding.</param>
    /// <param name="positionIds">Null, or <c>[batch, seq]</c>; see <see cref="DecoderInput.PositionIds"/>.</param>
    /// <returns>Logits <c>[batch, labels]</c>.</returns>
    /// <exception cref="InvalidOperationException">The configuration has no padding id and there are several rows.</exception>
    public Tensor forward(Tensor inputIds, Tensor? attentionMask = null, Tensor? positionIds = null) =>
        Forward(new DecoderInput { InputIds = inputIds, AttentionMask = attentionMask, PositionIds = positionIds });

    /// <summary>As <see cref="forward"/>, from ids or embeddings; with embeddings, a text is scored at the last position.</summary>
    /// <param name="input">Ids or embeddings, and what goes with them.</param>
    /// <returns>Logits <c>[batch, labels]</c>.</returns>
    /// <exception cref="InvalidOperationException">The configuration has no padding id and there are several rows.</exception>
    public Tensor Forward(DecoderInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        Tensor? positions = input.InputIds is { } ids ? PooledPositions(ids) : null;
        using DecoderOutput output = Decoder.Forward(input);
        Tensor hidden = output.LastHiddenState;
        long last = hidden.shape[1] - 1;
        Tensor pooled = positions is null
            ? hidden.select(1, last)
            : hidden.gather(1, positions.view(-1, 1, 1).expand(-1, 1, hidden.shape[2])).squeeze(1);
        return _score.forward(pooled).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Scores right-padded texts, fast: no mask is made, what the padding is does not matter, and the last layer is computed for the scored tokens only.
    /// Equal to <see cref="forward"/> up to rounding.
    /// </summary>
    /// <param name="inputIds"><c>[batch, seq]</c>, Int64; every text starts at position 0.</param>
    /// <param name="lastPositions">The position of each text's last token, <c>[batch]</c>, Int64.</param>
    /// <returns>Logits <c>[batch, labels]</c>.</returns>
    /// <exception cref="ArgumentException">The tensors have other shapes.</exception>
    /// <exception cref="InvalidOperationException">The decoder is not causal: padding would be seen.</exception>
    public Tensor ForwardPooled(Tensor inputIds, Tensor lastPositions)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        ArgumentNullException.ThrowIfNull(lastPositions);
        if (inputIds.ndim != 2 || lastPositions.ndim != 1 || inputIds.shape[0] != lastPositions.shape[0])
        {
            throw new ArgumentException(
                $"The ids have shape [{string.Join(", ", inputIds.shape)}] and the positions [{string.Join(", ", lastPositions.shape)}]; expected [batch, seq] and [batch].",
                nameof(lastPositions));
        }

        CheckThatItIsCausal();
        using var scope = NewDisposeScope();
        return _score.forward(Decoder.ForwardPooled(inputIds, lastPositions)).MoveToOuterDisposeScope();
    }

    /// <summary>The position at which each text is scored: that of its rightmost id that is not the padding id, or 0 if there is none.</summary>
    /// <param name="inputIds"><c>[batch, seq]</c>.</param>
    /// <returns><c>[batch]</c>, Int64.</returns>
    /// <exception cref="InvalidOperationException">The configuration has no padding id and there are several rows.</exception>
    public Tensor PooledPositions(Tensor inputIds)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        using var scope = NewDisposeScope();
        long last = inputIds.shape[1] - 1;
        if (Config.PadTokenId is { } pad)
            return ((inputIds != pad).to(ScalarType.Int64) * arange(last + 1, ScalarType.Int64, inputIds.device)).argmax(-1).MoveToOuterDisposeScope();
        if (inputIds.shape[0] != 1)
        {
            throw new InvalidOperationException(
                $"The configuration has no pad_token_id, so the ends of {inputIds.shape[0]} rows cannot be told; set PadTokenId, pass one row, or use ForwardPooled.");
        }

        return full([1], last, ScalarType.Int64, inputIds.device).MoveToOuterDisposeScope();
    }

    /// <summary>The mean loss that fits the problem type (told from the labels where the configuration does not say it).</summary>
    /// <param name="logits"><c>[batch, labels]</c>.</param>
    /// <param name="labels">
    /// One class: Int64 <c>[batch]</c>. Several: <c>[batch, labels]</c> of 0 and 1. Regression: numbers <c>[batch]</c> or <c>[batch, labels]</c>.
    /// </param>
    /// <param name="classWeights">
    /// What each class counts, <c>[labels]</c>. For one class of several the mean is weighted, too: it is divided by the weights of the rows' classes, as in torch.
    /// </param>
    /// <param name="labelSmoothing">
    /// For one class of several: the part of a row's probability, from 0 to 1, that is spread over all classes (Szegedy et al. 2016).
    /// </param>
    /// <returns>A scalar, Float32.</returns>
    /// <exception cref="ArgumentException">Class weights or label smoothing do not go with the problem type.</exception>
    public Tensor Loss(Tensor logits, Tensor labels, Tensor? classWeights = null, double labelSmoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        ProblemType problem = ProblemTypeOf(labels);
        if (problem != ProblemType.SingleLabelClassification && labelSmoothing != 0)
            throw new ArgumentException($"Label smoothing is for one class of several; the problem type is {problem}.", nameof(labelSmoothing));
        if (problem == ProblemType.Regression && classWeights is not null)
            throw new ArgumentException("Class weights are for classes; the problem type is Regression.", nameof(classWeights));
        using var scope = NewDisposeScope();
        Tensor scores = logits.to(ScalarType.Float32);
        Tensor loss = problem switch
        {
            ProblemType.SingleLabelClassification => CrossEntropy.Mean(scores, labels.to(ScalarType.Int64).view(-1), classWeights, labelSmoothing),
            ProblemType.MultiLabelClassification => nn.functional.binary_cross_entropy_with_logits(
                scores, labels.to(ScalarType.Float32), CrossEntropy.Weights(classWeights, scores)!),
            _ when Config.LabelCount == 1 => nn.functional.mse_loss(scores.view(-1), labels.to(ScalarType.Float32).view(-1)),
            _ => nn.functional.mse_loss(scores, labels.to(ScalarType.Float32)),
        };
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>Scores texts however they lie; see <see cref="ForwardPooled"/>.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="positions">Which token of each text is scored.</param>
    /// <returns>Logits <c>[texts, labels]</c>.</returns>
    /// <exception cref="InvalidOperationException">The decoder is not causal: what stands behind the scored token would be seen.</exception>
    internal Tensor Score(TextBatch batch, IReadOnlyList<int> positions)
    {
        CheckThatItIsCausal();
        using var scope = NewDisposeScope();
        return _score.forward(Decoder.ForwardPooled(batch, positions)).MoveToOuterDisposeScope();
    }

    private void CheckThatItIsCausal()
    {
        if (!Config.IsCausal) throw new InvalidOperationException("ForwardPooled needs a causal decoder; use forward with an attention mask.");
    }

    private ProblemType ProblemTypeOf(Tensor labels) =>
        Config.ProblemType
        ?? (Config.LabelCount == 1 ? ProblemType.Regression
            : labels.is_integral() ? ProblemType.SingleLabelClassification
            : ProblemType.MultiLabelClassification);

    /// <summary>A model that gets its weights from a checkpoint.</summary>
    internal static SequenceClassificationModel Create(DecoderConfig config, WeightPlacement storage) => new(config, storage, initialize: false);
}
