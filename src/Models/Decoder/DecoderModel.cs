using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Token ids to hidden states: embedding, layers, final norm.</summary>
internal sealed partial class DecoderModel : DecoderModule
{
    private readonly DecoderConfig _config;
    private readonly TokenEmbedding _embedding;
    private readonly DecoderBlock[] _blocks;
    private readonly Norm _finalNorm;
    private readonly RotaryEmbedding _rotary;
    private readonly AttentionKernel _kernel;
    private readonly Func<Tensor, Tensor> _embeddingDropout;

    public DecoderModel(DecoderContext context)
        : base(nameof(DecoderModel))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _config = config;
        _kernel = AttentionKernel.Create(context.Attention);
        _rotary = new RotaryEmbedding(config);
        int? frozenId = config.FrozenPaddingRow ? config.PadTokenId : null;
        _embedding = Register(names.TokenEmbedding, TokenEmbedding.Create(config.VocabularySize, config.HiddenSize, frozenId, context.DType, context.Device));
        _blocks = [.. Enumerable.Range(0, config.LayerCount).Select(layer => new DecoderBlock(context, layer))];
        var layers = Register(names.Layers, new BlockList());
        for (int layer = 0; layer < _blocks.Length; layer++) layers.Add(layer, _blocks[layer]);
        _finalNorm = Register(names.FinalNorm, context.Norm());
        _embeddingDropout = Dropout(config.EmbeddingDropout);
    }

    /// <summary>Whether layers are computed once more for their gradients instead of keeping their activations, see <see cref="CheckpointedBlock"/>.</summary>
    public bool CheckpointsGradients { get; set; }

    /// <summary>α of the noise that is added to embeddings in training, see <see cref="Disturb(Tensor)"/>; 0 for none.</summary>
    public double EmbeddingNoise { get; set; }

    /// <summary>The embedding's weight, <c>[vocabulary, hidden]</c>.</summary>
    public Parameter EmbeddingWeight => _embedding.Weight;

    /// <summary>What takes the gradient of the embedding's vectors that a pass reads, see <see cref="TokenEmbedding.RowGradient"/>.</summary>
    public RowGradient? EmbeddingGradient
    {
        get => _embedding.RowGradient;
        set => _embedding.RowGradient = value;
    }

    /// <summary>Whether the embedding computes with adapters.</summary>
    public bool IsEmbeddingAdapted => _embedding.Adapted is not null;

    /// <summary>What turns queries and keys.</summary>
    public RotaryEmbedding Rotary => _rotary;

    /// <summary>Gives the embedding another number of rows, see <see cref="ResizedRows"/>.</summary>
    public void ResizeEmbedding(int vocabularySize) => ResizedRows.Resize(_embedding.Weight, vocabularySize);

    /// <summary>Runs the decoder.</summary>
    public DecoderOutput Forward(DecoderInput input)
    {
        if (input.OutputAttentions && !_kernel.GivesWeights)
            throw new InvalidOperationException("Attention weights can be given only by a model loaded with AttentionImplementation.Eager.");
        using var scope = NewDisposeScope();
        Tensor hidden = _embeddingDropout(Embed(input));
        int past = input.Cache?.Length ?? 0;
        int length = (int)hidden.shape[1];
        Tensor? positions = PositionIds(input.PositionIds, hidden);
        input.Cache?.CheckThatItServes(_config, hidden.shape[0], length, hidden.dtype, hidden.device);
        AttentionMasks masks = AttentionMasks.Build(
            _config, input.Cache, hidden.shape[0], length, input.AttentionMask, positions, _kernel.HidesLaterKeys, hidden.dtype, hidden.device);
        RotaryTable rotary = (positions is null ? _rotary.Follow(past, length, hidden.device, input.Cache) : _rotary.At(positions, input.Cache)).As(hidden.dtype);

        ScalarType dtype = hidden.dtype;
        List<Tensor> hiddenStates = [];
        List<Tensor> attentions = [];
        foreach (DecoderBlock block in _blocks)
        {
            if (input.OutputHiddenStates) hiddenStates.Add(hidden.to(dtype).MoveToOuterDisposeScope());
            Tensor next = input.Cache is null && !input.OutputAttentions
                ? Run(block, Widened(hidden), rotary, masks, out Tensor? weights)
                : block.Forward(hidden, rotary, masks, input.Cache, out weights);
            if (!input.OutputHiddenStates) hidden.Dispose();
            hidden = next;
            if (input.OutputAttentions) attentions.Add(weights!.MoveToOuterDisposeScope());
            else weights?.Dispose();
        }

        Tensor last = _finalNorm.forward(hidden.to(dtype)).MoveToOuterDisposeScope();
        if (input.OutputHiddenStates) hiddenStates.Add(last.alias().MoveToOuterDisposeScope());
        return new DecoderOutput(last, hiddenStates, attentions);
    }

    /// <summary>
    /// The final hidden state of one token of each row, for right-padded rows: causal, without a mask, and with only keys and values computed for the other
    /// tokens in the last layer.
    /// </summary>
    /// <param name="inputIds"><c>[batch, seq]</c>.</param>
    /// <param name="positions">Which token of each row, <c>[batch]</c>, Int64. What stands behind it is not seen.</param>
    /// <returns><c>[batch, hidden]</c>.</returns>
    public Tensor ForwardPooled(Tensor inputIds, Tensor positions)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = ForwardLayers(EmbedIds(inputIds), 0, _blocks.Length - 1);
        return _finalNorm.forward(PoolLastLayer(hidden, positions)).MoveToOuterDisposeScope();
    }

    /// <summary>The input of the first layer: <c>[batch, seq] -> [batch, seq, hidden]</c>.</summary>
    public Tensor EmbedIds(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        return _embeddingDropout(Disturb(_embedding.forward(inputIds))).MoveToOuterDisposeScope();
    }

    /// <summary>Some of the layers, causal and without padding mask.</summary>
    /// <param name="hidden">The input of layer <paramref name="first"/>, <c>[batch, seq, hidden]</c>.</param>
    /// <param name="first">The first layer to run.</param>
    /// <param name="end">The layer to stop before.</param>
    /// <returns>The input of layer <paramref name="end"/>, a new handle.</returns>
    public Tensor ForwardLayers(Tensor hidden, int first, int end)
    {
        using var scope = NewDisposeScope();
        int length = (int)hidden.shape[1];
        RotaryTable rotary = _rotary.Follow(0, length, hidden.device).As(hidden.dtype);
        AttentionMasks masks = AttentionMasks.Build(
            _config, null, hidden.shape[0], length, null, null, _kernel.HidesLaterKeys, hidden.dtype, hidden.device);
        Tensor state = hidden.alias();
        for (int layer = first; layer < end; layer++)
        {
            Tensor next = Run(_blocks[layer], Widened(state), rotary, masks, out Tensor? weights);
            weights?.Dispose();
            state.Dispose();
            state = next;
        }

        return state.to(hidden.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The last layer, for one token of each row.</summary>
    /// <param name="hidden">The input of the last layer, <c>[batch, seq, hidden]</c>.</param>
    /// <param name="positions">Which token of each row, <c>[batch]</c>, Int64.</param>
    /// <returns><c>[batch, hidden]</c>.</returns>
    public Tensor PoolLastLayer(Tensor hidden, Tensor positions)
    {
        using var scope = NewDisposeScope();
        DecoderBlock block = _blocks[^1];
        int length = (int)hidden.shape[1];
        RotaryTable rotary = _rotary.Follow(0, length, hidden.device).As(hidden.dtype);
        Tensor column = positions.unsqueeze(1);
        LayerMask mask = AttentionMasks.UpTo(positions, length, block.Window, hidden.dtype);
        Tensor pooled = block.ForwardPooled(hidden, rotary, column, Select(rotary, positions), mask);
        return pooled.squeeze(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _rotary.Release();
        base.Dispose(disposing);
    }

    /// <summary>
    /// What a layer adds is often less than the last place of a bfloat16 sum. In training the stream that layers add to is therefore float32, from where gradients
    /// flow through it on, as under the reference's autocast.
    /// </summary>
    private Tensor Widened(Tensor hidden) =>
        training && hidden.dtype == ScalarType.BFloat16 && hidden.requires_grad && is_grad_enabled() ? hidden.to(ScalarType.Float32) : hidden;

    /// <summary>A layer without cache, its activations kept for its gradients or not.</summary>
    private Tensor Run(DecoderBlock block, Tensor hidden, RotaryTable rotary, AttentionMasks masks, out Tensor? weights)
    {
        weights = null;
        return CheckpointsGradients && training && is_grad_enabled()
            ? CheckpointedBlock.Apply(block, hidden, rotary, block.ChooseMask(masks))
            : block.Forward(hidden, rotary, masks, null, out weights);
    }

    /// <summary>The turns of one position of each row, <c>[batch, 1, 1, rotated]</c>.</summary>
    private static RotaryTable Select(RotaryTable table, Tensor positions) => table with
    {
        Cosines = table.Cosines.index_select(0, positions).unsqueeze(1).unsqueeze(1),
        SignedSines = table.SignedSines.index_select(0, positions).unsqueeze(1).unsqueeze(1),
    };

    private Tensor Embed(DecoderInput input)
    {
        if (input.InputIds is null == input.InputsEmbeds is null) throw new ArgumentException("Give either InputIds or InputsEmbeds.", nameof(input));
        Tensor given = (input.InputIds ?? input.InputsEmbeds)!;
        int dimensions = input.InputIds is null ? 3 : 2;
        if (given.ndim != dimensions || given.shape[1] == 0)
        {
            throw new ArgumentException(
                $"The input has shape [{string.Join(", ", given.shape)}]; expected {(dimensions == 2 ? "ids [batch, seq]" : "embeddings [batch, seq, hidden]")} with at least one token.",
                nameof(input));
        }

        return input.InputIds is { } ids ? Disturb(_embedding.forward(ids)) : given.alias();
    }

    /// <summary>Adds uniform noise within α / √(tokens · hidden size) in training (NEFTune, Jain et al. 2023, https://arxiv.org/abs/2310.05914).</summary>
    private Tensor Disturb(Tensor embedded)
    {
        if (!training || EmbeddingNoise == 0) return embedded;
        double most = EmbeddingNoise / Math.Sqrt((double)embedded.shape[1] * embedded.shape[2]);
        return embedded + empty_like(embedded).uniform_(-most, most);
    }

    private static Tensor? PositionIds(Tensor? positions, Tensor hidden)
    {
        if (positions is null) return null;
        if (positions.ndim != 2 || positions.shape[1] != hidden.shape[1] || (positions.shape[0] != hidden.shape[0] && positions.shape[0] != 1))
        {
            throw new ArgumentException(
                $"The position ids have shape [{string.Join(", ", positions.shape)}]; expected [{hidden.shape[0]}, {hidden.shape[1]}] (rows, tokens).", nameof(positions));
        }

        return positions.expand(hidden.shape[0], -1);
    }

    /// <summary>The layers under the names 0, 1, 2, ...</summary>
    private sealed class BlockList() : DecoderModule(nameof(BlockList))
    {
        public void Add(int index, DecoderBlock block) => register_module($"{index}", block);
    }
}
