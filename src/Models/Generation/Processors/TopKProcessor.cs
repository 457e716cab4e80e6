namespace MLComponents.Models;

/// <summary>Keeps the k best scores, and those equal to the last of them.</summary>
internal sealed class TopKProcessor : LogitsProcessor
{
    private readonly int _count;

    public TopKProcessor(int topK, int minTokensToKeep = 1)
    {
        if (topK < 1) throw new ArgumentOutOfRangeException(nameof(topK), topK, "TopK must be at least 1, or 0 to keep all tokens.");
        _count = Math.Max(topK, minTokensToKeep);
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores) => ScoreMath.RemoveBelow(scores, ScoreMath.Largest(scores, Math.Min(_count, scores.Length)));
}
