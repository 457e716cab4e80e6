using System.Buffers;

namespace MLComponents.Models;

/// <summary>Draws tokens by the probabilities that scores stand for.</summary>
internal static class TokenSampler
{
    /// <summary>Draws a token.</summary>
    /// <param name="scores">A score for every token.</param>
    /// <param name="uniform">A random number from 0 up to 1.</param>
    public static int Draw(ReadOnlySpan<float> scores, double uniform)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(scores.Length);
        Span<float> probabilities = rented.AsSpan(0, scores.Length);
        ScoreMath.Softmax(scores, probabilities);
        double total = 0;
        foreach (float probability in probabilities) total += probability;
        if (!(total > 0)) throw NoDistribution();

        // The last token that is possible, where rounding leaves nothing of the sum.
        double target = uniform * total, sum = 0;
        int chosen = 0;
        for (int id = 0; id < probabilities.Length; id++)
        {
            if (probabilities[id] == 0) continue;
            chosen = id;
            sum += probabilities[id];
            if (sum > target) break;
        }

        ArrayPool<float>.Shared.Return(rented);
        return chosen;
    }

    /// <summary>
    /// Draws several different tokens, one after the other, by making scores the keys that put them in the order in which they are drawn: the largest first. Efraimidis
    /// and Spirakis 2006, "Weighted random sampling with a reservoir"; with Gumbel noise.
    /// </summary>
    /// <param name="scores">Scores; keys afterwards.</param>
    /// <param name="uniform">Gives a random number from 0 up to 1, by its index.</param>
    public static void MakeKeys(Span<float> scores, Func<int, double> uniform)
    {
        for (int id = 0; id < scores.Length; id++)
            if (!float.IsNegativeInfinity(scores[id])) scores[id] -= (float)Math.Log(-Math.Log(Math.Max(uniform(id), double.Epsilon)));
    }

    /// <summary>The error of scores that leave no token.</summary>
    public static InvalidOperationException NoDistribution() => new(
        "The scores of the next token are NaN or rule every token out, so none can be drawn. Constraints may contradict each other; RemoveInvalidValues replaces NaN and infinity.");
}
