using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary><c>W_down (f(W_gate x) · W_up x)</c>, a gated linear unit (Shazeer 2020).</summary>
internal sealed class GatedFeedForward : DecoderModule
{
    private readonly Linear _gate;
    private readonly Linear _up;
    private readonly Linear _down;
    private readonly Func<Tensor, Tensor> _activation;

    public GatedFeedForward(DecoderContext context)
        : base(nameof(GatedFeedForward))
    {
        (DecoderConfig config, TensorNames names) = (context.Config, context.Names);
        _activation = ActivationFunctions.Resolve(config.Activation);
        _gate = Register(names.Gate, context.Linear(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias));
        _up = Register(names.Up, context.Linear(config.HiddenSize, config.IntermediateSize, config.FeedForwardBias));
        _down = Register(names.Down, context.Linear(config.IntermediateSize, config.HiddenSize, config.FeedForwardBias));
    }

    /// <summary>Each token by itself: <c>[batch, seq, hidden] -> [batch, seq, hidden]</c>.</summary>
    public Tensor Forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return _down.forward(_activation(_gate.forward(hidden)) * _up.forward(hidden)).MoveToOuterDisposeScope();
    }
}
