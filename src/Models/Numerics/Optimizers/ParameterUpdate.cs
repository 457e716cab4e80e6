namespace MLComponents.Models;

/// <summary>One step of one parameter.</summary>
/// <param name="Item">The parameter and its state.</param>
/// <param name="LearningRate">η, that of its group.</param>
/// <param name="GradientScale">What gradients are multiplied with first.</param>
/// <param name="RoundingSeed">The seed of this step's stochastic rounding.</param>
internal sealed record ParameterUpdate(OptimizedParameter Item, double LearningRate, double GradientScale, uint RoundingSeed)
{
    /// <summary>λ.</summary>
    public double WeightDecay => Item.Group.WeightDecay;
}
