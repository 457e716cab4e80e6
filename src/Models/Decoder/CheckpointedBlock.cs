using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// A layer that keeps only its input and is computed once more for its gradients (Chen et al. 2016): activations of one layer at a time in memory,
/// for about a third more computation. The gradients are those of the layer itself.
/// </summary>
internal sealed class CheckpointedBlock : autograd.SingleTensorFunction<CheckpointedBlock>
{
    private const string RunKey = "run";

    /// <inheritdoc/>
    public override string Name => nameof(CheckpointedBlock);

    /// <summary>As <see cref="DecoderBlock.Forward"/> without a cache.</summary>
    public static Tensor Apply(DecoderBlock block, Tensor hidden, RotaryTable rotary, LayerMask mask)
    {
        using var scope = NewDisposeScope();

        // Weights are inputs too: a layer whose input needs no gradient, that above frozen embeddings, is then part of the graph as well.
        Parameter[] trained = [.. block.parameters().Where(parameter => parameter.requires_grad)];
        DropoutDraws draws = block.training && block.HasDropout ? DropoutDraws.Next(hidden.device) : default;
        var run = new Run(block, trained, hidden.requires_grad, rotary.RotatedSize, mask.IsCausal, draws.Seed);
        return apply([run, hidden, rotary.Cosines, rotary.SignedSines, mask.Additive!, draws.State!, .. trained]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var run = (Run)arguments[0];
        List<Tensor> tensors = [.. arguments[1..6].Select(argument => (Tensor)argument)];
        context.save_data(RunKey, run);
        context.save_for_backward(tensors);

        // With gradients, though they are given up at once: some products are computed in another way without, which rounds in another way.
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        return run.Forward(run.Input(tensors[0]), tensors).detach().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor gradient)
    {
        var run = (Run)context.get_data(RunKey);
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        List<Tensor> saved = context.get_saved_variables();
        Tensor input = run.Input(saved[0]);
        Tensor output = new DropoutDraws(saved[4], run.Seed).Repeat(() => run.Forward(input, saved));
        Tensor[] sources = run.InputNeedsGradient ? [input, .. run.Trained] : [.. run.Trained];
        IList<Tensor> found = autograd.grad([output], sources, [gradient], allow_unused: true);
        foreach (Tensor tensor in found) tensor?.MoveToOuterDisposeScope();

        // In the order of Apply's arguments: the run, the input, two of rotary positions, the mask, the draws, the weights.
        Tensor none = null!;
        return run.InputNeedsGradient ? [none, found[0], none, none, none, none, .. found.Skip(1)] : [none, none, none, none, none, none, .. found];
    }

    private sealed record Run(DecoderBlock Block, Parameter[] Trained, bool InputNeedsGradient, int RotatedSize, bool IsCausal, long? Seed)
    {
        /// <summary>The input, cut off from what it was computed from.</summary>
        public Tensor Input(Tensor hidden) => hidden.detach().requires_grad_(InputNeedsGradient);

        /// <param name="input">The input of the layer.</param>
        /// <param name="tensors">Anything, cosines, sines, and the mask or null.</param>
        public Tensor Forward(Tensor input, List<Tensor> tensors)
        {
            var mask = new LayerMask(tensors[3], IsCausal);
            Tensor output = Block.Forward(input, new RotaryTable(tensors[1], tensors[2], RotatedSize), new AttentionMasks(mask, mask), null, out Tensor? weights);
            weights?.Dispose();
            return output;
        }
    }
}
