using System.Buffers;

namespace MLComponents.Models;

/// <summary>
/// Keeps the tokens whose surprise is nearest to the entropy until their probabilities add up to a mass. Meister et al. 2022, "Locally Typical Sampling".
/// </summary>
internal sealed class TypicalPProcessor : LogitsProcessor
{
    private readonly double _mass;
    private readonly int _minTokensToKeep;

    public TypicalPProcessor(double mass, int minTokensToKeep = 1)
    {
        if (!(mass > 0 && mass < 1)) throw new ArgumentOutOfRangeException(nameof(mass), mass, "TypicalP must be above 0 and at most 1.");
        (_mass, _minTokensToKeep) = (mass, minTokensToKeep);
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        float[] probabilities = ArrayPool<float>.Shared.Rent(scores.Length), deviations = ArrayPool<float>.Shared.Rent(scores.Length);
        int[] indices = ArrayPool<int>.Shared.Rent(scores.Length);
        ScoreMath.Softmax(scores, probabilities.AsSpan(0, scores.Length));
        double logSum = ScoreMath.LogSum(scores), entropy = ScoreMath.Entropy(probabilities.AsSpan(0, scores.Length));
        int count = 0;
        for (int index = 0; index < scores.Length; index++)
        {
            if (float.IsNegativeInfinity(scores[index])) continue;
            (deviations[count], indices[count]) = ((float)Math.Abs(logSum - scores[index] - entropy), index);
            count++;
        }

        deviations.AsSpan(0, count).Sort(indices.AsSpan(0, count));
        int last = 0;
        for (double mass = 0; last < count - 1; last++)
        {
            mass += probabilities[indices[last]];
            if (mass >= _mass) break;
        }

        for (int rank = Math.Max(last + 1, _minTokensToKeep); rank < count; rank++)
            if (deviations[rank] > deviations[last]) scores[indices[rank]] = float.NegativeInfinity;
        ArrayPool<float>.Shared.Return(probabilities);
        ArrayPool<float>.Shared.Return(deviations);
        ArrayPool<int>.Shared.Return(indices);
    }
}
