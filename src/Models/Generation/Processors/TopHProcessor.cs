namespace MLComponents.Models;

/// <summary>
/// Keeps the likeliest tokens while their part of the entropy is below a bound. "Top-H Decoding: Adapting the Creativity and Coherence with Bounded Entropy in Text
/// Generation", 2025.
/// </summary>
internal sealed class TopHProcessor : LogitsProcessor
{
    // As in the reference, only so many tokens are looked at.
    private const int MostTokens = 100;

    private readonly double _topH;

    public TopHProcessor(double topH)
    {
        if (!(topH > 0 && topH <= 1)) throw new ArgumentOutOfRangeException(nameof(topH), topH, "TopH must be above 0 and at most 1.");
        _topH = topH;
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        Span<int> indices = stackalloc int[Math.Min(MostTokens, scores.Length)];
        Span<float> best = stackalloc float[indices.Length], probabilities = stackalloc float[indices.Length];
        ScoreMath.LargestIndices(scores, indices);
        for (int rank = 0; rank < indices.Length; rank++) best[rank] = scores[indices[rank]];
        ScoreMath.Softmax(best, probabilities);

        double bound = _topH * ScoreMath.Entropy(probabilities), entropy = ScoreMath.Entropy(probabilities[..1]);
        int kept = 1;
        for (; kept < indices.Length; kept++)
        {
            entropy += ScoreMath.Entropy(probabilities.Slice(kept, 1));
            if (entropy > bound || probabilities[kept] == 0) break;
        }

        scores.Fill(float.NegativeInfinity);
        for (int rank = 0; rank < kept; rank++) scores[indices[rank]] = best[rank];
    }
}
