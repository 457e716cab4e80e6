using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>AdamW whose step is one pass over memory; see torch.optim.AdamW.</summary>
public sealed class FusedAdamW : Optimizer
{
    private readonly double _beta1, _beta2, _epsilon;

    /// <summary>Creates the optimizer; its states start at zero and lie on the parameters' devices.</summary>
    /// <param name="groups">Parameters with their weight decay.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="beta1">The decay of the gradients' mean, 0 to 1.</param>
    /// <param name="beta2">The decay of the squared gradients' mean, 0 to 1.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    /// <exception cref="ArgumentException">A parameter's elements are neither float32 nor bfloat16.</exception>
    public FusedAdamW(IEnumerable<ParameterGroup> groups, bool masterWeights, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, int seed = 0)
        : base(groups, masterWeights, seed, Layout) => (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);

    /// <summary>What is remembered of a parameter: the running means of its gradients and of their squares.</summary>
    internal static IReadOnlyList<StateTensor> Layout(Parameter parameter) => [StateTensor.Float32Like("exp_avg", parameter), StateTensor.Float32Like("exp_avg_sq", parameter)];

    /// <inheritdoc/>
    internal override bool TakesRows => true;

    /// <inheritdoc/>
    private protected override void StepFused(IReadOnlyList<FusedUpdate> updates) => UpdateRule.Run(updates, RuleOf);

    /// <inheritdoc/>
    private protected override Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient)
    {
        AdamWRule rule = RuleOf(update);
        (Tensor first, Tensor second) = (update.Item.State[0], update.Item.State[1]);
        first.mul_(rule.Beta1).add_(gradient, 1 - rule.Beta1);
        second.mul_(rule.Beta2).addcmul_(gradient, gradient, 1 - rule.Beta2);
        return (weight * rule.Decay) - (first / ((second.sqrt() * rule.InverseRootCorrection) + rule.Epsilon) * rule.StepSize);
    }

    private AdamWRule RuleOf(ParameterUpdate update) => AdamWRule.Of(update, StepCount, _beta1, _beta2, _epsilon);
}
