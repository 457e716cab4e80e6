namespace MLComponents.Models;

/// <summary>What a <see cref="WatermarkDetector"/> found.</summary>
/// <param name="TokenCount">The number of tokens that were looked at.</param>
/// <param name="GreenCount">How many of them were green.</param>
/// <param name="ZScore">How many standard deviations that is above what chance gives.</param>
/// <param name="ZThreshold">From where on it counts as a watermark.</param>
public sealed record WatermarkDetection(int TokenCount, int GreenCount, double ZScore, double ZThreshold)
{
    /// <summary>Whether the text counts as one with the watermark.</summary>
    public bool IsWatermarked => ZScore > ZThreshold;

    /// <summary>The part of the tokens that were green.</summary>
    public double GreenFraction => (double)GreenCount / TokenCount;

    /// <summary>The probability of at least such a score without a watermark, as the reference approximates it.</summary>
    public double PValue => 1 - (0.5 * (1 + (Math.Sign(ZScore) * (1 - Math.Exp(-2 * ZScore * ZScore / Math.PI)))));
}
