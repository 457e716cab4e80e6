using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>One layer of a decoder, in one of three forms.</summary>
/// <remarks>
/// <code>
/// Sequential       x ─┬─ norm ─ attention ─ (+) ─┬─ norm ─ feed-forward ─ (+) ─ y
///                     └──────────────────────┘   └────────────────────────┘
///
/// Parallel         x ─┬─ norm ─ attention ──── (+) ─ y
///                     ├─ norm ─ feed-forward ───┤
///                     └─────────────────────────┘
///
/// ParallelOneNorm  x ─┬─ norm ─┬─ attention ── (+) ─ y
///                     │        └─ feed-forward ─┤
///                     └─────────────────────────┘
/// </code>
/// </remarks>
internal sealed class DecoderBlock : DecoderModule
{
    private readonly Norm _inputNorm;
    private readonly Attention _attention;
    private readonly FeedForward _feedForward;
    private readonly Func<Tensor, Tensor> _attentionDropout;
    private readonly Func<Tensor, Tensor> _feedForwardDropout;
    private readonly Func<Tensor, Tensor, Tensor, Tensor> _addUp;
    private readonly Func<AttentionMasks, LayerMask> _chooseMask;
    private readonly int _index;

    public DecoderBlock(DecoderContext context, int index)
        : base(nameof(DecoderBlock))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _index = index;
        Window = config.WindowOf(index);
        _chooseMask = Window is null ? static masks => masks.Full : static masks => masks.Sliding;
        _attention = Register(names.Attention, new Attention(context));
        _feedForward = Register(names.FeedForward, FeedForward.Create(context));
        _attentionDropout = Dropout(config.AttentionOutputDropout);
        _feedForwardDropout = Dropout(config.FeedForwardDropout);
        _inputNorm = Register(names.InputNorm, context.Norm());
        Norm? secondNorm = config.Residual == ResidualKind.ParallelOneNorm ? null : Register(names.PostAttentionNorm, context.Norm());
        _addUp = config.Residual switch
        {
            ResidualKind.Sequential => (hidden, _, attended) =>
            {
                Tensor sum = hidden + attended;
                return sum + Feed(Normed(secondNorm!, sum));
            },
            ResidualKind.Parallel => (hidden, _, attended) => Feed(Normed(secondNorm!, hidden)) + attended + hidden,
            ResidualKind.ParallelOneNorm => (hidden, normed, attended) => attended + Feed(normed) + hidden,
            var other => throw new ArgumentOutOfRangeException(nameof(context), other, "Not a kind of residual."),
        };

        Tensor Feed(Tensor normed) => _feedForwardDropout(_feedForward.Forward(normed));
    }

    /// <summary>The number of tokens a token sees, itself included, or null if it sees all before it.</summary>
    public int? Window { get; }

    /// <summary>The mask of this layer among those of a forward pass.</summary>
    public LayerMask ChooseMask(AttentionMasks masks) => _chooseMask(masks);

    /// <summary>The layer for every token: <c>[batch, seq, hidden] -> [batch, seq, hidden]</c>.</summary>
    public Tensor Forward(Tensor hidden, RotaryTable rotary, AttentionMasks masks, KeyValueCache? cache, out Tensor? weights)
    {
        using var scope = NewDisposeScope();
        Tensor normed = Normed(_inputNorm, hidden);
        Tensor attended = _attentionDropout(_attention.Forward(normed, rotary, _chooseMask(masks), cache, _index, out weights));
        weights?.MoveToOuterDisposeScope();
        return _addUp(hidden, normed, attended).MoveToOuterDisposeScope();
    }

    /// <summary>The layer for every token of several groups of texts: <c>[1, tokens, hidden] -> [1, tokens, hidden]</c>.</summary>
    public Tensor Forward(Tensor hidden, RotaryTable rotary, IReadOnlyList<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        Tensor normed = Normed(_inputNorm, hidden);
        return _addUp(hidden, normed, _attentionDropout(_attention.Forward(normed, rotary, groups))).MoveToOuterDisposeScope();
    }

    /// <summary>The layer for one token of each text of several groups, <c>[1, tokens, hidden] -> [1, texts, hidden]</c>; see <see cref="Attention"/>.</summary>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor places, RotaryTable pooledRotary, IReadOnlyList<AttentionGroup> groups)
    {
        using var scope = NewDisposeScope();
        Tensor normed = Normed(_inputNorm, hidden);
        Tensor attended = _attentionDropout(_attention.ForwardPooled(normed, rotary, places, pooledRotary, groups));
        return _addUp(hidden.index_select(1, places.view(-1)), normed.index_select(1, places.view(-1)), attended).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The layer for one token of each row, <c>[batch, seq, hidden] -> [batch, 1, hidden]</c>. Of the others, only what attention needs is computed.
    /// </summary>
    /// <param name="hidden">The input of the layer.</param>
    /// <param name="rotary">The turns of all tokens' positions.</param>
    /// <param name="positions">Which token of each row, <c>[batch, 1]</c>.</param>
    /// <param name="pooledRotary">The turns of those tokens' positions.</param>
    /// <param name="mask">Which keys those tokens see.</param>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor positions, RotaryTable pooledRotary, LayerMask mask)
    {
        using var scope = NewDisposeScope();
        Tensor normed = Normed(_inputNorm, hidden);
        Tensor attended = _attentionDropout(_attention.ForwardPooled(normed, rotary, positions, pooledRotary, mask));
        Tensor index = positions.unsqueeze(-1).expand(-1, -1, hidden.shape[2]);
        return _addUp(hidden.gather(1, index), normed.gather(1, index), attended).MoveToOuterDisposeScope();
    }

    /// <summary>A residual stream that is wider than the weights is rounded where a norm reads it.</summary>
    private static Tensor Normed(Norm norm, Tensor hidden) => norm.forward(hidden.dtype == norm.Weight.dtype ? hidden : hidden.to(norm.Weight.dtype));
}
