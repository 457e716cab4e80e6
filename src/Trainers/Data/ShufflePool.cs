namespace MLComponents.Trainers;

/// <summary>
/// Shuffles a stream of rows within a pool of bounded size and cuts it into batches of rows of like length.
/// </summary>
/// <remarks>
/// A stream that fits into the pool is shuffled perfectly. Of a longer one, half of the full pool is given out at random and
/// the rest stays to be mixed with what follows. As in the reference trainer's length grouping, rows given out together are
/// parted at random into groups of up to 50 batches, each group is sorted by length and cut, and the batches are shuffled:
/// little is computed for padding, and batches stay random.
/// </remarks>
/// <param name="capacity">Most rows in the pool, at least 1.</param>
/// <param name="batchSize">Rows per batch, at least 1; only the last batch of a stream may have fewer.</param>
/// <param name="length">Tokens of a row.</param>
internal sealed class ShufflePool<TRow>(int capacity, int batchSize, Func<TRow, int> length)
{
    private const int MostBatchesPerGroup = 50;
    private const int FewestGroups = 4;

    /// <summary>Batches of one pass over the rows; the same for the same rows and generator.</summary>
    public IEnumerable<TRow[]> Batches(IEnumerable<TRow> rows, Random random)
    {
        int size = Math.Max(capacity, batchSize);
        var pool = new List<TRow>();
        foreach (TRow row in rows)
        {
            pool.Add(row);
            if (pool.Count <= size) continue;
            int given = Math.Max(1, size / 2 / batchSize) * batchSize;
            foreach (TRow[] batch in GiveOut(pool, given, random)) yield return batch;
        }

        foreach (TRow[] batch in GiveOut(pool, pool.Count, random)) yield return batch;
    }

    private List<TRow[]> GiveOut(List<TRow> pool, int count, Random random)
    {
        TRow[] rows = [.. pool];
        random.Shuffle(rows);
        pool.Clear();
        pool.AddRange(rows.AsSpan(count));

        int batchesPerGroup = Math.Clamp(count / (batchSize * FewestGroups), 1, MostBatchesPerGroup);
        var full = new List<TRow[]>();
        TRow[]? partial = null;
        for (int start = 0; start < count; start += batchesPerGroup * batchSize)
        {
            Span<TRow> group = rows.AsSpan(start, Math.Min(batchesPerGroup * batchSize, count - start));
            group.Sort((a, b) => length(b).CompareTo(length(a)));
            for (int i = 0; i < group.Length; i += batchSize)
            {
                TRow[] batch = group.Slice(i, Math.Min(batchSize, group.Length - i)).ToArray();
                if (batch.Length == batchSize) full.Add(batch);
                else partial = batch;
            }
        }

        TRow[][] shuffled = [.. full];
        random.Shuffle(shuffled);
        var batches = new List<TRow[]>(shuffled);
        if (partial is not null) batches.Add(partial);
        return batches;
    }
}
