namespace MLComponents.Trainers;

/// <summary>
/// Shuffles a stream of rows within a pool of bounded size and cuts it into batches of rows of like length.
/// </summary>
/// <remarks>
/// A stream that fits into the pool is shuffled perfectly. Of a longer one, half of the full pool is given out at random and
/// the rest stays to be mixed with what follows. As in the reference trainer's length grouping, rows given out together are
/// parted at random into groups of up to 50 batches, each group is sorted by length and cut, and the batches are shuffled:
/// little is computed for padding, and batches stay random. What batches there are follows from the lengths of the rows and the generator alone.
/// </remarks>
/// <param name="capacity">Most rows in the pool, at least 1; more where fewer are no batch.</param>
/// <param name="limit">How much a batch holds. Only the last batch of a stream has less than there is room for.</param>
/// <param name="length">Tokens of a row.</param>
internal sealed class ShufflePool<TRow>(int capacity, BatchLimit limit, Func<TRow, int> length)
{
    private const int MostBatchesPerGroup = 50;
    private const int FewestGroups = 4;

    /// <summary>Tokens in the pool, in budgets, before some are given out: half of them is a few batches then.</summary>
    private const int FewestBudgets = 4;

    /// <summary>Batches of one pass over the rows; the same for the same rows and generator.</summary>
    public IEnumerable<TRow[]> Batches(IEnumerable<TRow> rows, Random random)
    {
        int size = limit.Tokens is null ? Math.Max(capacity, limit.Rows) : capacity;
        var pool = new List<TRow>();
        long tokens = 0;
        foreach (TRow row in rows)
        {
            pool.Add(row);
            tokens += length(row);
            if (pool.Count <= size || tokens < FewestBudgets * (limit.Tokens ?? 0L)) continue;
            int given = limit.Tokens is null ? Math.Max(1, size / 2 / limit.Rows) * limit.Rows : Math.Max(1, pool.Count / 2);
            foreach (TRow[] batch in GiveOut(pool, given, random)) yield return batch;
            tokens = pool.Sum(left => (long)length(left));
        }

        foreach (TRow[] batch in GiveOut(pool, pool.Count, random)) yield return batch;
    }

    /// <summary>Takes rows out of the pool. What is too little for a batch goes back, unless nothing else is left.</summary>
    private List<TRow[]> GiveOut(List<TRow> pool, int count, Random random)
    {
        TRow[] rows = [.. pool];
        random.Shuffle(rows);
        bool isLast = count == rows.Length;
        pool.Clear();
        pool.AddRange(rows.AsSpan(count));

        int rowsPerBatch = limit.RowsOf(count, rows.Take(count).Sum(row => (long)length(row)));
        int rowsPerGroup = rowsPerBatch * Math.Clamp(count / (rowsPerBatch * FewestGroups), 1, MostBatchesPerGroup);
        var full = new List<TRow[]>();
        TRow[] rest = [];
        for (int start = 0; start < count; start += rowsPerGroup)
        {
            TRow[] group = [.. rest, .. rows.AsSpan(start, Math.Min(rowsPerGroup, count - start))];
            group.AsSpan().Sort((a, b) => length(b).CompareTo(length(a)));
            rest = Cut(group, full);
        }

        TRow[][] shuffled = [.. full];
        random.Shuffle(shuffled);
        if (rest.Length == 0) return [.. shuffled];
        if (isLast) return [.. shuffled, rest];
        pool.AddRange(rest);
        return [.. shuffled];
    }

    /// <summary>Cuts rows into full batches, and gives those that are too few for one.</summary>
    private TRow[] Cut(TRow[] group, List<TRow[]> full)
    {
        int first = 0;
        long tokens = 0;
        for (int row = 0; row < group.Length; row++)
        {
            if (row > first && limit.IsFull(row - first, tokens, length(group[row])))
            {
                full.Add(group[first..row]);
                (first, tokens) = (row, 0);
            }

            tokens += length(group[row]);
        }

        if (limit.Tokens is not null || group.Length - first < limit.Rows) return group[first..];
        full.Add(group[first..]);
        return [];
    }
}
