using System.Buffers;

namespace MLComponents.Models;

/// <summary>Keeps tokens that are likely in proportion to the likeliest one. Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling".</summary>
internal sealed class MinPProcessor : LogitsProcessor
{
    private readonly double _minP;
    private readonly int _minTokensToKeep;

    public MinPProcessor(double minP, int minTokensToKeep = 1)
    {
        if (!(minP >= 0 && minP <= 1)) throw new ArgumentOutOfRangeException(nameof(minP), minP, "MinP must be from 0 to 1.");
        (_minP, _minTokensToKeep) = (minP, minTokensToKeep);
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(scores.Length);
        Span<float> probabilities = rented.AsSpan(0, scores.Length);
        ScoreMath.Softmax(scores, probabilities);
        float limit = (float)_minP * ScoreMath.Max(probabilities), kept = ScoreMath.Largest(scores, Math.Min(_minTokensToKeep, scores.Length));
        for (int index = 0; index < scores.Length; index++)
            if (probabilities[index] < limit && scores[index] < kept) scores[index] = float.NegativeInfinity;
        ArrayPool<float>.Shared.Return(rented);
    }
}
