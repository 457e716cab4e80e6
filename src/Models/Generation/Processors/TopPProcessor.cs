using System.Buffers;

namespace MLComponents.Models;

/// <summary>Keeps the fewest tokens whose probabilities add up to a mass. Holtzman et al. 2019, "The Curious Case of Neural Text Degeneration".</summary>
internal sealed class TopPProcessor : LogitsProcessor
{
    // How far below the best score the search for the smallest kept one looks first; then further.
    private const float FirstDepth = 4;

    private readonly double _topP;
    private readonly int _minTokensToKeep;

    public TopPProcessor(double topP, int minTokensToKeep = 1)
    {
        if (!(topP >= 0 && topP <= 1)) throw new ArgumentOutOfRangeException(nameof(topP), topP, "TopP must be from 0 to 1.");
        (_topP, _minTokensToKeep) = (topP, minTokensToKeep);
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        float[] probabilities = ArrayPool<float>.Shared.Rent(scores.Length), keys = ArrayPool<float>.Shared.Rent(scores.Length);
        int[] indices = ArrayPool<int>.Shared.Rent(scores.Length);
        ScoreMath.Softmax(scores, probabilities.AsSpan(0, scores.Length));
        float best = ScoreMath.Max(scores);

        // What is below a depth need not be sorted if all of it goes: then the rest of the mass that goes is looked for above.
        double spare = 1 - _topP, below = 0;
        int count = 0;
        for (float depth = FirstDepth; ; depth *= 2)
        {
            (count, below) = (0, 0);
            float limit = best - depth;
            bool all = depth > 1000;
            for (int index = 0; index < scores.Length; index++)
            {
                if (all ? !float.IsNegativeInfinity(scores[index]) : scores[index] >= limit)
                {
                    (keys[count], indices[count]) = (scores[index], index);
                    count++;
                }
                else
                {
                    below += probabilities[index];
                }
            }

            if (all || (below <= spare && count >= _minTokensToKeep)) break;
        }

        if (count < scores.Length)
        {
            float least = float.PositiveInfinity;
            for (int rank = 0; rank < count; rank++) least = Math.Min(least, keys[rank]);
            ScoreMath.RemoveBelow(scores, least);
        }

        keys.AsSpan(0, count).Sort(indices.AsSpan(0, count));
        double mass = below;
        for (int rank = 0; rank < count - _minTokensToKeep; rank++)
        {
            mass += probabilities[indices[rank]];
            if (mass > spare) break;
            scores[indices[rank]] = float.NegativeInfinity;
        }

        ArrayPool<float>.Shared.Return(probabilities);
        ArrayPool<float>.Shared.Return(keys);
        ArrayPool<int>.Shared.Return(indices);
    }
}
