using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>
/// Lion: steps of one size in the direction of the sign of an average, one number of state for each weight. Wants a learning rate 3 to 10 times smaller and a
/// weight decay as much larger than AdamW.
/// </summary>
/// <remarks>
/// Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2: c = β₁ m + (1 − β₁) g; p ← p − η (sign(c) + λ p); m ← β₂ m + (1 − β₂) g.
/// </remarks>
internal sealed class Lion : Optimizer
{
    private readonly double _beta1, _beta2;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="groups">Parameters with their weight decay.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="beta1">The weight of the state in the direction, 0 to 1.</param>
    /// <param name="beta2">The decay of the state, 0 to 1.</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    public Lion(IEnumerable<ParameterGroup> groups, bool masterWeights, double beta1 = 0.9, double beta2 = 0.99, int seed = 0)
        : base(groups, masterWeights, seed, Layout) => (_beta1, _beta2) = (beta1, beta2);

    /// <summary>What is remembered of a parameter: the running mean of its gradients.</summary>
    internal static IReadOnlyList<StateTensor> Layout(Parameter parameter) => [StateTensor.Float32Like("exp_avg", parameter)];

    /// <inheritdoc/>
    internal override bool TakesRows => true;

    /// <inheritdoc/>
    private protected override void StepFused(IReadOnlyList<FusedUpdate> updates) => UpdateRule.Run(updates, RuleOf);

    /// <inheritdoc/>
    private protected override Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient)
    {
        Rule rule = RuleOf(update);
        Tensor mean = update.Item.State[0];
        Tensor direction = ((mean * rule.Beta1) + (gradient * (1 - rule.Beta1))).sign();
        mean.mul_(rule.Beta2).add_(gradient, 1 - rule.Beta2);
        return (weight * rule.Decay) - (direction * rule.LearningRate);
    }

    private Rule RuleOf(ParameterUpdate update) =>
        new((float)(1 - (update.LearningRate * update.WeightDecay)), (float)update.LearningRate, (float)_beta1, (float)_beta2);

    private readonly record struct Rule(float Decay, float LearningRate, float Beta1, float Beta2) : IUpdateRule
    {
        public static bool HasFirst => true;

        public static bool HasSecond => false;

        public static bool KeepsZeros => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second)
        {
            Vector256<float> direction = (first * Beta1) + (gradient * (1 - Beta1));
            first = (first * Beta2) + (gradient * (1 - Beta2));

            // The size of a step with the sign of the direction; none where the direction is zero, and not a number where it is not.
            Vector256<float> step = Vector256.ConditionalSelect(Vector256.Create(int.MinValue).AsSingle(), direction, Vector256.Create(LearningRate));
            step = Vector256.ConditionalSelect(Vector256.Equals(direction, default), default, step);
            step = Vector256.ConditionalSelect(Vector256.Equals(direction, direction), step, direction);
            return (weight * Decay) - step;
        }
    }
}
