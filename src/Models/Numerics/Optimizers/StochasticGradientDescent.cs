using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLComponents.Models;

/// <summary>Stochastic gradient descent, with momentum or without; see torch.optim.SGD.</summary>
internal sealed class StochasticGradientDescent : Optimizer
{
    private readonly double _momentum;
    private readonly bool _nesterov;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="groups">Parameters with their weight decay, which here is added to the gradient.</param>
    /// <param name="masterWeights">Whether bfloat16 parameters get a float32 master copy; otherwise they are rounded stochastically.</param>
    /// <param name="momentum">What is kept of earlier steps, from 0 to below 1.</param>
    /// <param name="nesterov">Whether momentum looks ahead (Sutskever et al. 2013).</param>
    /// <param name="seed">The seed of stochastic rounding.</param>
    public StochasticGradientDescent(IEnumerable<ParameterGroup> groups, bool masterWeights, double momentum = 0, bool nesterov = false, int seed = 0)
        : base(groups, masterWeights, seed, momentum == 0 ? static _ => [] : Layout)
    {
        if (!(momentum is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(momentum), momentum, "Expected from 0 to below 1.");
        if (nesterov && momentum == 0) throw new ArgumentException("Nesterov's momentum needs a momentum above 0.", nameof(nesterov));
        (_momentum, _nesterov) = (momentum, nesterov);
    }

    /// <summary>What is remembered of a parameter where there is momentum.</summary>
    internal static IReadOnlyList<StateTensor> Layout(Parameter parameter) => [StateTensor.Float32Like("momentum_buffer", parameter)];

    /// <inheritdoc/>
    internal override bool TakesRows => true;

    /// <inheritdoc/>
    private protected override void StepFused(IReadOnlyList<FusedUpdate> updates)
    {
        (float momentum, float ahead) = ((float)_momentum, _nesterov ? 1 : 0);
        if (_momentum == 0) UpdateRule.Run(updates, static update => new PlainRule((float)update.LearningRate, (float)update.WeightDecay));
        else UpdateRule.Run(updates, update => new MomentumRule((float)update.LearningRate, (float)update.WeightDecay, momentum, ahead));
    }

    /// <inheritdoc/>
    private protected override Tensor Advance(ParameterUpdate update, Tensor weight, Tensor gradient)
    {
        Tensor slope = gradient + (weight * update.WeightDecay);
        if (_momentum == 0) return weight - (slope * update.LearningRate);
        Tensor velocity = update.Item.State[0].mul_(_momentum).add_(slope);
        return weight - ((_nesterov ? slope + (velocity * _momentum) : velocity) * update.LearningRate);
    }

    /// <summary>p ← p − η (g + λ p).</summary>
    private readonly record struct PlainRule(float LearningRate, float WeightDecay) : IUpdateRule
    {
        public static bool HasFirst => false;

        public static bool HasSecond => false;

        public static bool KeepsZeros => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second) =>
            weight - ((gradient + (weight * WeightDecay)) * LearningRate);
    }

    /// <summary>d = g + λ p; b ← μ b + d; p ← p − η b, or p − η (d + μ b) where <paramref name="Ahead"/> is 1.</summary>
    private readonly record struct MomentumRule(float LearningRate, float WeightDecay, float Momentum, float Ahead) : IUpdateRule
    {
        public static bool HasFirst => true;

        public static bool HasSecond => false;

        public static bool KeepsZeros => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second)
        {
            Vector256<float> slope = gradient + (weight * WeightDecay);
            first = (first * Momentum) + slope;
            Vector256<float> step = Ahead == 0 ? first : slope + (first * Momentum);
            return weight - (step * LearningRate);
        }
    }
}
