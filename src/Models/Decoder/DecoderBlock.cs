using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>One layer of a decoder.</summary>
/// <remarks>
/// <code>
///  x ─┬─ norm ─ attention ─ (+) ─┬─ norm ─ feed-forward ─ (+) ─ y
///     └──────────────────────┘   └────────────────────────┘
/// </code>
/// </remarks>
internal sealed class DecoderBlock : DecoderModule
{
    private readonly Norm _inputNorm;
    private readonly Attention _attention;
    private readonly Norm _postAttentionNorm;
    private readonly GatedFeedForward _feedForward;
    private readonly Func<AttentionMasks, LayerMask> _chooseMask;
    private readonly int _index;

    public DecoderBlock(DecoderContext context, int index)
        : base(nameof(DecoderBlock))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _index = index;
        Window = config.IsSliding(index) ? config.SlidingWindow : null;
        _chooseMask = Window is null ? static masks => masks.Full : static masks => masks.Sliding;
        _attention = Register(names.Attention, new Attention(context));
        _feedForward = Register(names.FeedForward, new GatedFeedForward(context));
        _inputNorm = Register(names.InputNorm, context.Norm(config.HiddenSize));
        _postAttentionNorm = Register(names.PostAttentionNorm, context.Norm(config.HiddenSize));
    }

    /// <summary>The number of tokens a token sees, itself included, or null if it sees all before it.</summary>
    public int? Window { get; }

    /// <summary>The layer for every token: <c>[batch, seq, hidden] -> [batch, seq, hidden]</c>.</summary>
    public Tensor Forward(Tensor hidden, RotaryTable rotary, AttentionMasks masks, KeyValueCache? cache, out Tensor? weights)
    {
        using var scope = NewDisposeScope();
        Tensor attended = hidden + _attention.Forward(_inputNorm.forward(hidden), rotary, _chooseMask(masks), cache, _index, out weights);
        weights?.MoveToOuterDisposeScope();
        return (attended + _feedForward.Forward(_postAttentionNorm.forward(attended))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The layer for one token of each row, <c>[batch, seq, hidden] -> [batch, 1, hidden]</c>. Only keys and values are computed for the others.
    /// </summary>
    /// <param name="hidden">The input of the layer.</param>
    /// <param name="rotary">The turns of all tokens' positions.</param>
    /// <param name="positions">Which token of each row, <c>[batch, 1]</c>.</param>
    /// <param name="pooledRotary">The turns of those tokens' positions.</param>
    /// <param name="mask">Which keys those tokens see.</param>
    public Tensor ForwardPooled(Tensor hidden, RotaryTable rotary, Tensor positions, RotaryTable pooledRotary, LayerMask mask)
    {
        using var scope = NewDisposeScope();
        Tensor normed = _inputNorm.forward(hidden);
        Tensor index = positions.unsqueeze(-1).expand(-1, -1, hidden.shape[2]);
        Tensor attended = hidden.gather(1, index) + _attention.ForwardPooled(normed, rotary, normed.gather(1, index), pooledRotary, mask);
        return (attended + _feedForward.Forward(_postAttentionNorm.forward(attended))).MoveToOuterDisposeScope();
    }
}
