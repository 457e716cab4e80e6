namespace MLComponents.Models;

/// <summary>What every batch checks before it reads.</summary>
internal static class DecodingChecks
{
    /// <summary>Refuses tokens that cannot be read; see <see cref="IDecodingBatch.Read"/>.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="counts">How many of them belong to each row.</param>
    /// <param name="scored">For how many logits are wanted.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="vocabularySize">The number of token ids.</param>
    /// <param name="evenly">Whether all rows must read the same number.</param>
    public static void Check(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, int rows, int vocabularySize, bool evenly)
    {
        if (counts.Length != rows) throw new ArgumentException($"There are counts for {counts.Length} rows, the batch has {rows}.", nameof(counts));
        int sum = 0;
        foreach (int count in counts)
        {
            if (count < 1) throw new ArgumentException($"A row reads {count} tokens; expected at least 1.", nameof(counts));
            if (evenly && count != counts[0]) throw new ArgumentException("Rows that have read something already read different numbers of tokens.", nameof(counts));
            if (scored > count) throw new ArgumentOutOfRangeException(nameof(scored), scored, $"A row reads {count} tokens only.");
            sum += count;
        }

        if (sum != tokens.Length) throw new ArgumentException($"There are {tokens.Length} tokens, the counts say {sum}.", nameof(tokens));
        foreach (int id in tokens)
        {
            if (id < 0 || id >= vocabularySize)
                throw new ArgumentOutOfRangeException(nameof(tokens), id, $"The model has no such token id; expected from 0 to {vocabularySize - 1}.");
        }
    }
}
