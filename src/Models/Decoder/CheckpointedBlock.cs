using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// A layer that keeps only its input and is computed once more for its gradients (Chen et al. 2016): activations of one layer at a time in memory,
/// for about a third more computation. The gradients are those of the layer itself.
/// </summary>
internal sealed class CheckpointedBlock : GradientFunction<CheckpointedBlock>
{
    private const string RunKey = "run";

    /// <summary>As <see cref="DecoderBlock.Forward(Tensor, RotaryTable, AttentionMasks, KeyValueCache?, out Tensor?)"/> without a cache.</summary>
    public static Tensor Apply(DecoderBlock block, Tensor hidden, RotaryTable rotary, LayerMask mask) => Apply(block, hidden, rotary, [mask], texts: null);

    /// <summary>As <see cref="DecoderBlock.Forward(Tensor, RotaryTable, IReadOnlyList{AttentionGroup})"/>.</summary>
    public static Tensor Apply(DecoderBlock block, Tensor hidden, RotaryTable rotary, IReadOnlyList<AttentionGroup> groups) =>
        Apply(block, hidden, rotary, [.. groups.Select(group => group.Mask)], [.. groups.Select(group => group.Texts)]);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext context, object[] arguments)
    {
        var run = (Run)arguments[0];
        List<Tensor> tensors = [.. arguments[1..(1 + run.Kept)].Select(argument => (Tensor)argument)];
        context.save_data(RunKey, run);
        context.save_for_backward(tensors);

        // With gradients, though they are given up at once: some products are computed in another way without, which rounds in another way.
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        return run.Forward(run.Input(tensors[0]), tensors).detach().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override List<Tensor> Differentiate(autograd.AutogradContext context, Tensor gradient)
    {
        var run = (Run)context.get_data(RunKey);
        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        using var promise = DifferentiatedOnce.Promise();
        List<Tensor> saved = context.get_saved_variables();
        Tensor input = run.Input(saved[0]);
        Tensor output = new DropoutDraws(saved[3], run.Seed).Repeat(() => run.Forward(input, saved));
        Tensor[] sources = run.InputNeedsGradient ? [input, .. run.Trained] : [.. run.Trained];
        IList<Tensor> found = autograd.grad([output], sources, [gradient], allow_unused: true);
        foreach (Tensor tensor in found) tensor?.MoveToOuterDisposeScope();

        // In the order of Apply's arguments: the run, what it keeps, of which only the input has a gradient, the weights.
        Tensor none = null!;
        List<Tensor> results = [none, run.InputNeedsGradient ? found[0] : none, .. Enumerable.Repeat(none, run.Kept - 1)];
        results.AddRange(run.InputNeedsGradient ? found.Skip(1) : found);
        return results;
    }

    private static Tensor Apply(DecoderBlock block, Tensor hidden, RotaryTable rotary, LayerMask[] masks, TextGroup[]? texts)
    {
        using var scope = NewDisposeScope();

        // Weights are inputs too: a layer whose input needs no gradient, that above frozen embeddings, is then part of the graph as well.
        Parameter[] trained = [.. block.parameters().Where(parameter => parameter.requires_grad)];
        DropoutDraws draws = DropoutDraws.Next(hidden.device);
        var run = new Run(block, trained, hidden.requires_grad, rotary.RotatedSize, [.. masks.Select(mask => mask.IsCausal)], texts, draws.Seed);
        return Record([run, hidden, rotary.Cosines, rotary.SignedSines, draws.State!, .. masks.Select(mask => mask.Additive!), .. trained]).MoveToOuterDisposeScope();
    }

    private sealed record Run(DecoderBlock Block, Parameter[] Trained, bool InputNeedsGradient, int RotatedSize, bool[] AreCausal, TextGroup[]? Texts, long? Seed)
    {
        private const int BeforeMasks = 4;

        /// <summary>Tensors that are kept: the input, two of rotary positions, the draws, the masks.</summary>
        public int Kept => BeforeMasks + AreCausal.Length;

        /// <summary>The input, cut off from what it was computed from.</summary>
        public Tensor Input(Tensor hidden) => hidden.detach().requires_grad_(InputNeedsGradient);

        /// <param name="input">The input of the layer.</param>
        /// <param name="tensors">Anything, cosines, sines, anything, and the masks or nulls.</param>
        public Tensor Forward(Tensor input, List<Tensor> tensors)
        {
            var rotary = new RotaryTable(tensors[1], tensors[2], RotatedSize);
            LayerMask[] masks = [.. AreCausal.Select((isCausal, place) => new LayerMask(tensors[BeforeMasks + place], isCausal))];
            if (Texts is not null) return Block.Forward(input, rotary, [.. Texts.Zip(masks, (texts, mask) => new AttentionGroup(texts, mask))]);
            Tensor output = Block.Forward(input, rotary, new AttentionMasks(masks[0], masks[0]), null, out Tensor? weights);
            weights?.Dispose();
            return output;
        }
    }
}
