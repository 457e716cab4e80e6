using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A decoder that scores the next token.</summary>
public sealed partial class CausalLanguageModel : PretrainedModel
{
    /// <summary>The label of a position that a loss leaves out.</summary>
    public const long IgnoredLabel = CrossEntropy.IgnoredLabel;

    /// <summary>100 MB of scores for a vocabulary of 50,000.</summary>
    private const long TokensScoredAtOnce = 512;

    private Linear _head;

    /// <summary>A model with fresh weights.</summary>
    /// <param name="config">What to make.</param>
    /// <param name="seed">Equal seeds give equal weights.</param>
    /// <param name="dtype">The element type of the weights; the configuration's, else Float32, if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The configuration contradicts itself.</exception>
    public CausalLanguageModel(
        DecoderConfig config, long seed = 0, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct)
        : this(config, new WeightPlacement(dtype, device, attention, seed), initialize: true)
    {
    }

    private CausalLanguageModel(DecoderConfig config, WeightPlacement storage, bool initialize)
        : base(config, ModelHead.CausalLanguageModel, storage)
    {
        _head = config.TieWordEmbeddings ? RegisterHead(TiedHead()) : RegisterHead(config.VocabularySize, config.LanguageModelHeadBias);
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
    public static CausalLanguageModel Load(
        string folder, ScalarType? dtype = null, Device? device = null, AttentionImplementation attention = AttentionImplementation.ScaledDotProduct, long seed = 0,
        bool ignoreMismatchedSizes = false) =>
        ModelFolder.Load(folder, static config => config, Create, new WeightPlacement(dtype, device, attention, seed, ignoreMismatchedSizes));

    /// <summary>Reads a model from memory.</summary>
    /// <param name="configJson">The content of its <c>config.json</c>.</param>
    /// <param name="weights">The content of its <c>model.safetensors</c>; need not seek.</param>
    /// <param name="dtype">The element type of the weights; the stored one if null.</param>
    /// <param name="device">Where the weights are; the CPU if null.</param>
    /// <param name="attention">What computes attention.</param>
    /// <exception cref="FormatException">The content is broken, or the weights do not fit the configuration.</exception>
    public static CausalLanguageModel Load(
        ReadOnlySpan<byte> configJson, Stream weights, ScalarType? dtype = null, Device? device = null,
        AttentionImplementation attention = AttentionImplementation.ScaledDotProduct) =>
        ModelFolder.Load(configJson, weights, static config => config, Create, new WeightPlacement(dtype, device, attention, 0));

    /// <summary>Scores every token of the vocabulary at every position.</summary>
    /// <param name="inputIds"><c>[batch, seq]</c>, Int64.</param>
    /// <param name="attentionMask">Null, or <c>[batch, seq]</c> with 0 at padding.</param>
    /// <param name="positionIds">Null, or <c>[batch, seq]</c>; see <see cref="DecoderInput.PositionIds"/>.</param>
    /// <returns>Logits <c>[batch, seq, vocabulary]</c>.</returns>
    public Tensor forward(Tensor inputIds, Tensor? attentionMask = null, Tensor? positionIds = null)
    {
        using CausalLanguageModelOutput output = Forward(new DecoderInput { InputIds = inputIds, AttentionMask = attentionMask, PositionIds = positionIds });
        return output.Logits.alias();
    }

    /// <summary>Scores every token of the vocabulary.</summary>
    /// <param name="input">Ids or embeddings, and what goes with them.</param>
    /// <param name="logitsToKeep">Only the last so many positions get logits; 0 for all.</param>
    public CausalLanguageModelOutput Forward(DecoderInput input, int logitsToKeep = 0)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentOutOfRangeException.ThrowIfNegative(logitsToKeep);
        return Score(input, hidden =>
        {
            long length = hidden.shape[1];
            return logitsToKeep == 0 || logitsToKeep >= length ? hidden : hidden.narrow(1, length - logitsToKeep, logitsToKeep);
        });
    }

    /// <summary>Scores every token of the vocabulary at some positions.</summary>
    /// <param name="input">Ids or embeddings, and what goes with them.</param>
    /// <param name="logitsToKeep">The positions that get logits, the same in every row: <c>[kept]</c>, Int64 or Int32; negative ones count from the end.</param>
    /// <exception cref="ArgumentException">There is no such position, or the positions have another shape or type.</exception>
    public CausalLanguageModelOutput Forward(DecoderInput input, Tensor logitsToKeep)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(logitsToKeep);
        long[] positions = Positions(logitsToKeep, (input.InputIds ?? input.InputsEmbeds) is { ndim: > 1 } given ? given.shape[1] : null);
        return Score(input, hidden => hidden.index_select(1, tensor(positions, device: hidden.device)));
    }

    /// <summary>The mean cross entropy of the tokens that follow: position i is scored against the label at i + 1.</summary>
    /// <param name="logits"><c>[batch, seq, vocabulary]</c>.</param>
    /// <param name="labels"><c>[batch, seq]</c>, Int64: the input ids, with <see cref="IgnoredLabel"/> where nothing is to be learnt.</param>
    /// <param name="labelSmoothing">The part of a token's probability, from 0 to 1, that is spread over the whole vocabulary.</param>
    /// <returns>A scalar, Float32; NaN if every label is ignored.</returns>
    public static Tensor Loss(Tensor logits, Tensor labels, double labelSmoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        using var scope = NewDisposeScope();
        long length = logits.shape[1] - 1;
        Tensor scores = logits.narrow(1, 0, length).reshape(-1, logits.shape[2]);
        return CrossEntropy.Mean(scores, labels.narrow(1, 1, length).reshape(-1), labelSmoothing: labelSmoothing).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The cross entropy of the tokens that follow, as <see cref="Loss(Tensor, Tensor, double)"/> of the logits gives it, without ever holding them: scores are computed for
    /// the positions that have a label only, some at a time, and turned into gradients at once.
    /// </summary>
    /// <param name="input">Ids or embeddings, and what goes with them.</param>
    /// <param name="labels"><c>[batch, seq]</c>, Int64: the input ids, with <see cref="IgnoredLabel"/> where nothing is to be learnt.</param>
    /// <param name="labelSmoothing">The part of a token's probability, from 0 to 1, that is spread over the whole vocabulary.</param>
    /// <param name="labelCount">
    /// What the sum over the tokens is divided by, Hugging Face's <c>num_items_in_batch</c>: the number of labels in all parts of a batch whose gradients are accumulated.
    /// The labels that are here if null.
    /// </param>
    /// <returns>A scalar, Float32; NaN if every label is ignored and <paramref name="labelCount"/> is null.</returns>
    /// <exception cref="ArgumentException">The labels have another shape or type, or are not in the vocabulary.</exception>
    public Tensor Loss(DecoderInput input, Tensor labels, double labelSmoothing = 0, long? labelCount = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(labels);
        if (!(labelSmoothing is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Expected from 0 to 1.");
        if (labelCount is { } count) ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(labelCount));
        using var scope = NewDisposeScope();
        var (places, following) = Following(input, labels);
        using DecoderOutput decoded = Decoder.Forward(input);
        return Loss(decoded.LastHiddenState.reshape(-1, Config.HiddenSize), places, following, labelSmoothing, labelCount ?? following.Length).MoveToOuterDisposeScope();
    }

    /// <summary>The cross entropy of tokens of texts however they lie, as <see cref="Loss(DecoderInput, Tensor, double, long?)"/> computes it.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="places">The tokens that are followed by one to learn, by their places among all.</param>
    /// <param name="following">The ids to learn.</param>
    /// <param name="labelSmoothing">The part of a token's probability that is spread over the whole vocabulary.</param>
    /// <param name="labelCount">What the sum is divided by.</param>
    /// <returns>A scalar, Float32.</returns>
    internal Tensor Loss(TextBatch batch, long[] places, long[] following, double labelSmoothing, long labelCount)
    {
        using var scope = NewDisposeScope();
        return Loss(Decoder.Forward(batch), places, following, labelSmoothing, labelCount).MoveToOuterDisposeScope();
    }

    /// <summary>The log-probabilities of tokens of texts however they lie, of <see cref="TokensScoredAtOnce"/> at a time.</summary>
    /// <param name="batch">The texts.</param>
    /// <param name="places">The tokens that are followed by one to score, by their places among all; at least one.</param>
    /// <param name="following">The ids to score.</param>
    /// <returns>Float32, as many as there are places, in nats.</returns>
    internal Tensor LogProbabilities(TextBatch batch, long[] places, long[] following)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = Decoder.Forward(batch);
        Device device = hidden.device;
        return LogProbabilities(hidden.index_select(0, tensor(places, device: device)), tensor(following, device: device)).MoveToOuterDisposeScope();
    }

    /// <summary>The log-probability of each token given those before it, without ever holding the scores of the whole vocabulary for more than 512 tokens.</summary>
    /// <param name="input">Ids, and what goes with them; no cache.</param>
    /// <returns>Float32 <c>[batch, seq]</c>, in nats; 0 for the first token of each row.</returns>
    /// <exception cref="ArgumentException">There are no ids.</exception>
    public Tensor LogProbabilities(DecoderInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor ids = input.InputIds ?? throw new ArgumentException("Only ids have log-probabilities; InputIds is null.", nameof(input));
        using var scope = NewDisposeScope();
        using DecoderOutput decoded = Decoder.Forward(input);
        (long batch, long following) = (ids.shape[0], ids.shape[1] - 1);
        Tensor said = zeros(batch, following + 1, dtype: ScalarType.Float32, device: ids.device);
        if (following == 0) return said.MoveToOuterDisposeScope();
        Tensor hidden = decoded.LastHiddenState.narrow(1, 0, following).reshape(-1, Config.HiddenSize);
        Tensor next = ids.narrow(1, 1, following).reshape(-1).to(ScalarType.Int64);
        return cat([said.narrow(1, 0, 1), LogProbabilities(hidden, next).view(batch, following)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>The log-probability of an id after each hidden state: <c>[tokens, hidden], [tokens] -> [tokens]</c>.</summary>
    private Tensor LogProbabilities(Tensor hidden, Tensor next)
    {
        var parts = new List<Tensor>();
        for (long from = 0; from < next.shape[0]; from += TokensScoredAtOnce)
        {
            long count = Math.Min(TokensScoredAtOnce, next.shape[0] - from);
            using var part = NewDisposeScope();
            Tensor logits = _head.forward(hidden.narrow(0, from, count)).to(ScalarType.Float32);
            parts.Add((logits.gather(1, next.narrow(0, from, count).unsqueeze(1)).squeeze(1) - logits.logsumexp(1)).MoveToOuterDisposeScope());
        }

        return cat(parts);
    }

    /// <summary>The sum of the cross entropies at some of the tokens, divided by a number.</summary>
    private Tensor Loss(Tensor hidden, long[] places, long[] following, double labelSmoothing, double divisor)
    {
        Tensor chosen = hidden.index_select(0, tensor(places, device: hidden.device));
        return _head.Adapted is null
            ? ChunkedCrossEntropy.Apply(chosen, _head.Weight, _head.Bias, following, divisor, labelSmoothing)
            : CrossEntropy.Mean(_head.forward(chosen), tensor(following, device: hidden.device), labelSmoothing: labelSmoothing) * (following.Length / divisor);
    }

    /// <summary>The positions that are followed by a token to learn, counted through all rows, and those tokens.</summary>
    private (long[] Places, long[] Following) Following(DecoderInput input, Tensor labels)
    {
        long[]? shape = (input.InputIds ?? input.InputsEmbeds)?.shape;
        if (labels.ndim != 2 || labels.dtype != ScalarType.Int64 || (shape is not null && !labels.shape.AsSpan().SequenceEqual(shape.AsSpan(0, Math.Min(2, shape.Length)))))
        {
            throw new ArgumentException(
                $"The labels have shape [{string.Join(", ", labels.shape)}] and type {labels.dtype}; expected a label for each token, {(shape is null ? "[batch, seq]" : $"[{string.Join(", ", shape.Take(2))}]")}, Int64.",
                nameof(labels));
        }

        long[] all = labels.cpu().contiguous().data<long>().ToArray();
        long width = labels.shape[1];
        List<long> places = [], following = [];
        for (long place = 0; place < all.Length; place++)
        {
            if ((place + 1) % width == 0 || all[place + 1] == IgnoredLabel) continue;
            long label = all[place + 1];
            if (label < 0 || label >= Config.VocabularySize)
            {
                throw new ArgumentException(
                    $"The label in row {place / width}, column {(place % width) + 1} is {label}; expected from 0 to {Config.VocabularySize - 1}, or {IgnoredLabel} where nothing is to be learnt.", nameof(labels));
            }

            places.Add(place);
            following.Add(label);
        }

        return ([.. places], [.. following]);
    }

    /// <summary>Makes the projection to the vocabulary the token embedding; its own matrix is given up, a bias stays.</summary>
    /// <exception cref="InvalidOperationException">The model has adapters.</exception>
    public void TieWordEmbeddings()
    {
        if (Config.TieWordEmbeddings) return;
        CheckThatNothingIsAdapted("tied");
        Linear tied = TiedHead();
        ReplaceHead(tied, tied: true);
    }

    /// <summary>Gives the projection to the vocabulary a matrix of its own, a copy of the token embedding.</summary>
    /// <exception cref="InvalidOperationException">The model has adapters.</exception>
    public void UntieWordEmbeddings()
    {
        if (!Config.TieWordEmbeddings) return;
        CheckThatNothingIsAdapted("untied");
        using var noGradient = no_grad();
        Linear own = Context.Linear(Config.HiddenSize, Config.VocabularySize, Config.LanguageModelHeadBias);
        own.Weight.copy_(Decoder.EmbeddingWeight);
        ReplaceHead(own, tied: false);
    }

    /// <inheritdoc/>
    private protected override void ResizeHead(int vocabularySize)
    {
        if (!Config.TieWordEmbeddings) ResizedRows.Resize(_head.Weight, vocabularySize);
        if (_head.Bias is not null) ResizedRows.Resize(_head.Bias, vocabularySize);
    }

    private void ReplaceHead(Linear head, bool tied)
    {
        using var noGradient = no_grad();
        head.Bias?.copy_(_head.Bias!);
        Parameter[] old = [.. _head.parameters()];
        register_module(Names.HeadOf(Head), null!);
        _head = RegisterHead(head);
        foreach (Parameter parameter in head.parameters()) parameter.DetachFromDisposeScope();
        foreach (Parameter parameter in old) parameter.Dispose();
        Config = Config with { TieWordEmbeddings = tied };
    }

    private Linear TiedHead() => new(Decoder.EmbeddingWeight, Config.LanguageModelHeadBias);

    /// <summary>Positions as they are counted from the front.</summary>
    /// <param name="logitsToKeep">What was asked for.</param>
    /// <param name="length">The number of positions; null if there is no input, which is found out later.</param>
    private static long[] Positions(Tensor logitsToKeep, long? length)
    {
        if (logitsToKeep.ndim != 1 || logitsToKeep.dtype is not (ScalarType.Int64 or ScalarType.Int32))
        {
            throw new ArgumentException(
                $"The positions to keep have shape [{string.Join(", ", logitsToKeep.shape)}] and type {logitsToKeep.dtype}; expected [kept], Int64 or Int32.", nameof(logitsToKeep));
        }

        using var scope = NewDisposeScope();
        long[] positions = logitsToKeep.to(ScalarType.Int64).cpu().data<long>().ToArray();
        foreach (ref long position in positions.AsSpan())
        {
            if (position < -length || position >= length)
                throw new ArgumentOutOfRangeException(nameof(logitsToKeep), position, $"There is no such position; expected from {-length} to {length - 1}.");
            if (position < 0) position += length ?? 0;
        }

        return positions;
    }

    private CausalLanguageModelOutput Score(DecoderInput input, Func<Tensor, Tensor> choose)
    {
        DecoderOutput decoded = Decoder.Forward(input);
        using var scope = NewDisposeScope();
        return new CausalLanguageModelOutput(_head.forward(choose(decoded.LastHiddenState)).MoveToOuterDisposeScope(), decoded);
    }

    /// <summary>A model that gets its weights from a checkpoint.</summary>
    internal static CausalLanguageModel Create(DecoderConfig config, WeightPlacement storage) => new(config, storage, initialize: false);
}
