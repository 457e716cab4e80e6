namespace MLComponents.Models;

/// <summary>Makes the tokens of the green list likelier that follows from the tokens before.</summary>
internal sealed class WatermarkProcessor : LogitsProcessor
{
    // As in the reference: with the other seeding scheme only so many candidates, the likeliest, can become green.
    private const int MostCandidates = 40;
    private const int TableSize = 1_000_003;

    private readonly Watermark _watermark;
    private readonly int _vocabularySize;
    private readonly int[] _table;

    public WatermarkProcessor(Watermark watermark, int vocabularySize)
    {
        watermark.Validate();
        (_watermark, _vocabularySize) = (watermark, vocabularySize);
        _table = [];
        if (!watermark.SelfHash) return;
        _table = new int[TableSize];
        new MersenneTwister((ulong)watermark.HashingKey).Permute(_table);
    }

    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        if (context.Ids.Length < _watermark.ContextWidth) return;
        if (!_watermark.SelfHash)
        {
            foreach (int id in GreenList(context.Ids)) scores[id] += (float)_watermark.Bias;
            return;
        }

        Span<int> candidates = stackalloc int[Math.Min(MostCandidates, scores.Length)];
        ScoreMath.LargestIndices(scores, candidates);
        int[] run = [.. context.Ids[^Math.Min(context.Ids.Length, _watermark.ContextWidth)..], 0];
        foreach (int candidate in candidates)
        {
            run[^1] = candidate;
            if (IsGreen(run, candidate)) scores[candidate] += (float)_watermark.Bias;
        }
    }

    /// <summary>Whether a token is green.</summary>
    /// <param name="before">The tokens that the list depends on, the last one last: with self-hashing the token itself, too.</param>
    /// <param name="id">The token.</param>
    public bool IsGreen(ReadOnlySpan<int> before, int id) => GreenList(before).Contains(id);

    private ReadOnlySpan<int> GreenList(ReadOnlySpan<int> before)
    {
        var order = new int[_vocabularySize];
        new MersenneTwister(Seed(before)).Permute(order);
        return order.AsSpan(0, (int)(_vocabularySize * _watermark.GreenlistRatio));
    }

    private ulong Seed(ReadOnlySpan<int> before)
    {
        if (!_watermark.SelfHash) return (ulong)(_watermark.HashingKey * before[^1]);
        long last = _table[before[^1] % TableSize] + 1L, least = long.MaxValue;
        foreach (int id in before[^Math.Min(before.Length, _watermark.ContextWidth)..])
            least = Math.Min(least, _watermark.HashingKey * (_table[id % TableSize] + 1L) * last);
        return (ulong)least;
    }
}
