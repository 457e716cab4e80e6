using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLComponents.Models;

/// <summary>One step of AdamW.</summary>
/// <remarks>
/// Decoupled weight decay as in Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), in the form of
/// torch.optim.AdamW: p ← p (1 − η λ); m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; p ← p − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
/// </remarks>
/// <param name="Decay">1 − η λ.</param>
/// <param name="StepSize">η / (1 − β₁ᵗ).</param>
/// <param name="Beta1">β₁.</param>
/// <param name="Beta2">β₂.</param>
/// <param name="InverseRootCorrection">1 / √(1 − β₂ᵗ).</param>
/// <param name="Epsilon">ε.</param>
internal readonly record struct AdamWRule(float Decay, float StepSize, float Beta1, float Beta2, float InverseRootCorrection, float Epsilon) : IUpdateRule
{
    /// <inheritdoc/>
    public static bool HasFirst => true;

    /// <inheritdoc/>
    public static bool HasSecond => true;

    /// <inheritdoc/>
    public static bool KeepsZeros => true;

    /// <summary>The rule of step t ≥ 1.</summary>
    public static AdamWRule Of(ParameterUpdate update, long step, double beta1, double beta2, double epsilon) => new(
        (float)(1 - (update.LearningRate * update.WeightDecay)), (float)(update.LearningRate / (1 - Math.Pow(beta1, step))), (float)beta1, (float)beta2,
        (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step))), (float)epsilon);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Advance(Vector256<float> weight, Vector256<float> gradient, ref Vector256<float> first, ref Vector256<float> second)
    {
        first = (first * Beta1) + (gradient * (1 - Beta1));
        second = (second * Beta2) + (gradient * gradient * (1 - Beta2));
        Vector256<float> denominator = (Vector256.Sqrt(second) * InverseRootCorrection) + Vector256.Create(Epsilon);
        return (weight * Decay) - (first / denominator * StepSize);
    }
}
