using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>A smallest part of a model: one weight, perhaps a bias, and an equation. What an adapter can stand in front of.</summary>
internal abstract class WeightedModule(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>The weight, <c>weight</c> in checkpoints.</summary>
    public abstract Parameter Weight { get; }

    /// <summary>The bias, <c>bias</c> in checkpoints, or null for a part without one.</summary>
    public virtual Parameter? Bias => null;

    /// <summary>What is computed in place of the part's own equation while adapters are in force; null while none is.</summary>
    public Func<Tensor, Tensor>? Adapted { get; set; }

    /// <summary>The equation, with a weight and a bias that need not be the part's own.</summary>
    public abstract Tensor Compute(Tensor input, Tensor weight, Tensor? bias);

    /// <inheritdoc/>
    public sealed override Tensor forward(Tensor input) => Adapted is { } adapted ? adapted(input) : Compute(input, Weight, Bias);

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The constructors register: the names of properties and fields are not those of checkpoints.
    }
}
