using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>The layer that works on each token by itself.</summary>
internal abstract class FeedForward(DecoderContext context, string name) : DecoderModule(name)
{
    private protected Func<Tensor, Tensor> Activate { get; } = ActivationFunctions.Resolve(context.Config.Activation);

    /// <summary>The layer that a configuration asks for.</summary>
    public static FeedForward Create(DecoderContext context) => context.Config.FeedForward switch
    {
        FeedForwardKind.Gated => new GatedFeedForward(context),
        FeedForwardKind.StackedGated => new StackedGatedFeedForward(context),
        FeedForwardKind.Plain => new PlainFeedForward(context),
        var other => throw new ArgumentOutOfRangeException(nameof(context), other, "Not a feed-forward layer."),
    };

    /// <summary><c>[batch, seq, hidden] -> [batch, seq, hidden]</c>.</summary>
    public abstract Tensor Forward(Tensor hidden);

    /// <summary>f(gate) · up.</summary>
    private protected Tensor Gate(Tensor gate, Tensor up) => IsFused(gate) ? FusedSiluGate.Apply(gate, up) : Activate(gate) * up;

    /// <summary>Whether the activation and the product with it are one function.</summary>
    private protected bool IsFused(Tensor gate) => context.Config.Activation == Activation.Silu && TensorRows.Serves(gate);

    private protected Linear RegisterUp(string key, DecoderContext context, int size) =>
        Register(key, context.Linear(context.Config.HiddenSize, size, context.Config.FeedForwardBias));

    private protected Linear RegisterDown(DecoderContext context) =>
        Register(context.Names.Down, context.Linear(context.Config.IntermediateSize, context.Config.HiddenSize, context.Config.FeedForwardBias));
}

/// <summary><c>W_down (f(W_gate x) · W_up x)</c>, a gated linear unit (Shazeer 2020).</summary>
internal sealed class GatedFeedForward : FeedForward
{
    private readonly Linear _gate;
    private readonly Linear _up;
    private readonly Linear _down;

    public GatedFeedForward(DecoderContext context)
        : base(context, nameof(GatedFeedForward))
    {
        _gate = RegisterUp(context.Names.Gate, context, context.Config.IntermediateSize);
        _up = RegisterUp(context.Names.Up, context, context.Config.IntermediateSize);
        _down = RegisterDown(context);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return _down.forward(Gate(_gate.forward(hidden), _up.forward(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>As <see cref="GatedFeedForward"/>, gate and upward projection in one matrix, the gate first.</summary>
internal sealed class StackedGatedFeedForward : FeedForward
{
    private readonly Linear _gateUp;
    private readonly Linear _down;
    private readonly int _size;

    public StackedGatedFeedForward(DecoderContext context)
        : base(context, nameof(StackedGatedFeedForward))
    {
        _size = context.Config.IntermediateSize;
        _gateUp = RegisterUp(context.Names.GateUp, context, 2 * _size);
        _down = RegisterDown(context);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        Tensor both = _gateUp.forward(hidden);
        Tensor gated = IsFused(both) ? FusedSiluGate.Apply(both) : Activate(both.narrow(-1, 0, _size)) * both.narrow(-1, _size, _size);
        return _down.forward(gated).MoveToOuterDisposeScope();
    }
}

/// <summary><c>W_down f(W_up x)</c>.</summary>
internal sealed class PlainFeedForward : FeedForward
{
    private readonly Linear _up;
    private readonly Linear _down;

    public PlainFeedForward(DecoderContext context)
        : base(context, nameof(PlainFeedForward))
    {
        _up = RegisterUp(context.Names.Up, context, context.Config.IntermediateSize);
        _down = RegisterDown(context);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return _down.forward(Activate(_up.forward(hidden))).MoveToOuterDisposeScope();
    }
}
