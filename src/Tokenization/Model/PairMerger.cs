using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>Applies merges to a row of symbols in place: always the pair of lowest rank, among equals the leftmost.</summary>
internal static class PairMerger
{
    /// <summary>Up to this many symbols a scan for the lowest rank is faster than a heap.</summary>
    public const int ShortWord = 64;

    /// <summary>Merges any number of symbols.</summary>
    /// <param name="merges">What merges.</param>
    /// <param name="symbols">The symbols; what is left of them stands at the beginning afterwards.</param>
    /// <param name="origins">Room for the index of the first symbol that each of those came from; empty where nobody asks.</param>
    /// <returns>The number of symbols that are left.</returns>
    public static int Merge(MergeTable merges, Span<int> symbols, Span<int> origins = default) =>
        symbols.Length <= ShortWord ? MergeShort(merges, symbols, origins) : MergeLong(merges, symbols, origins);

    /// <summary>Merges at most <see cref="ShortWord"/> symbols.</summary>
    public static int MergeShort(MergeTable merges, Span<int> symbols, Span<int> origins = default)
    {
        int count = symbols.Length;
        for (int index = 0; index < origins.Length; index++) origins[index] = index;
        if (count < 2) return count;
        Span<int> ranks = stackalloc int[ShortWord]; // of every symbol with its right neighbour
        Span<int> merged = stackalloc int[ShortWord];
        for (int index = 0; index < count - 1; index++) ranks[index] = merges.Rank(symbols[index], symbols[index + 1], out merged[index]);
        while (count > 1)
        {
            int best = 0;
            for (int index = 1; index < count - 1; index++)
                if (ranks[index] < ranks[best]) best = index;
            if (ranks[best] == MergeTable.None) break;
            symbols[best] = merged[best];
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            if (!origins.IsEmpty) origins[(best + 2)..count].CopyTo(origins[(best + 1)..]);
            ranks[(best + 1)..(count - 1)].CopyTo(ranks[best..]);
            merged[(best + 1)..(count - 1)].CopyTo(merged[best..]);
            count--;
            if (best > 0) ranks[best - 1] = merges.Rank(symbols[best - 1], symbols[best], out merged[best - 1]);
            if (best < count - 1) ranks[best] = merges.Rank(symbols[best], symbols[best + 1], out merged[best]);
        }

        return count;
    }

    /// <summary>Merges any number of symbols, in time n log n.</summary>
    public static int MergeLong(MergeTable merges, Span<int> symbols, Span<int> origins = default)
    {
        int length = symbols.Length;
        int[] next = ArrayPool<int>.Shared.Rent(length);
        int[] previous = ArrayPool<int>.Shared.Rent(length);
        var queue = new PriorityQueue<int, long>(length); // pairs by rank, then by position
        for (int index = 0; index < length; index++)
        {
            next[index] = index + 1;
            previous[index] = index - 1;
            if (index + 1 < length) Offer(merges, symbols, queue, index, index + 1);
        }

        while (queue.TryDequeue(out int left, out long priority))
        {
            int right = next[left];

            // The pair may have changed since it was offered.
            if (symbols[left] < 0 || right >= length) continue;
            int rank = merges.Rank(symbols[left], symbols[right], out int merged);
            if (rank == MergeTable.None || rank != (int)(priority >> 32)) continue;
            symbols[left] = merged;
            symbols[right] = -1;
            next[left] = next[right];
            if (next[left] < length)
            {
                previous[next[left]] = left;
                Offer(merges, symbols, queue, left, next[left]);
            }

            if (previous[left] >= 0) Offer(merges, symbols, queue, previous[left], left);
        }

        int count = 0;
        for (int index = 0; index < length; index = next[index])
        {
            if (!origins.IsEmpty) origins[count] = index;
            symbols[count++] = symbols[index];
        }

        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return count;
    }

    private static void Offer(MergeTable merges, Span<int> symbols, PriorityQueue<int, long> queue, int left, int right)
    {
        int rank = merges.Rank(symbols[left], symbols[right], out _);
        if (rank != MergeTable.None) queue.Enqueue(left, ((long)rank << 32) | (uint)left);
    }
}
