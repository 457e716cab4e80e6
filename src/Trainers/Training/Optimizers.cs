using MLComponents.Models;

namespace MLComponents.Trainers;

/// <summary>The optimizer that options ask for.</summary>
internal static class Optimizers
{
    private const double DefaultBeta2 = 0.999, DefaultBeta2OfLion = 0.99;

    /// <summary>The memory of its states and master weights, in bytes.</summary>
    public static long BytesFor(PretrainedModel model, FineTuningOptions options) => Optimizer.BytesFor(
        ParameterGroups.Of(model, options.WeightDecay, options.LayerwiseDecay), options.WeightUpdate == WeightUpdate.MasterWeights, options.Optimizer switch
        {
            OptimizerKind.AdamW8Bit => QuantizedAdamW.Layout,
            OptimizerKind.Adafactor => Adafactor.Layout,
            OptimizerKind.StochasticGradientDescent when options.Momentum == 0 => static _ => [],
            OptimizerKind.StochasticGradientDescent => StochasticGradientDescent.Layout,
            OptimizerKind.Lion => Lion.Layout,
            _ => FusedAdamW.Layout,
        });

    /// <summary>Whether the gradient of a model's embedding is kept as the rows that a step reads.</summary>
    public static bool KeepsRows(PretrainedModel model, FineTuningOptions options) =>
        model.CanKeepRowGradient && options.Optimizer is (OptimizerKind.AdamW or OptimizerKind.StochasticGradientDescent or OptimizerKind.Lion);

    /// <summary>Makes it for what is trained of a model.</summary>
    public static Optimizer Create(PretrainedModel model, FineTuningOptions options)
    {
        ParameterGroup[] groups = [.. ParameterGroups.Of(model, options.WeightDecay, options.LayerwiseDecay)];
        bool masters = options.WeightUpdate == WeightUpdate.MasterWeights;
        return options.Optimizer switch
        {
            OptimizerKind.AdamW => new FusedAdamW(groups, masters, options.Beta1, options.Beta2 ?? DefaultBeta2, options.Epsilon, options.Seed),
            OptimizerKind.AdamW8Bit => new QuantizedAdamW(groups, masters, options.Beta1, options.Beta2 ?? DefaultBeta2, options.Epsilon, options.Seed),
            OptimizerKind.Adafactor => new Adafactor(groups, masters, seed: options.Seed),
            OptimizerKind.StochasticGradientDescent => new StochasticGradientDescent(groups, masters, options.Momentum, seed: options.Seed),
            OptimizerKind.Lion => new Lion(groups, masters, options.Beta1, options.Beta2 ?? DefaultBeta2OfLion, options.Seed),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Optimizer, "Not an optimizer."),
        };
    }
}
