using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>Rows of token ids as the tensors that a causal model needs to classify them: padded on the right, with no mask.</summary>
internal sealed class TokenBatch : IDisposable
{
    private TokenBatch(Tensor inputIds, Tensor lastPositions, int tokens)
    {
        (InputIds, LastPositions, Tokens) = (inputIds, lastPositions, tokens);
    }

    /// <summary>Int64 ids `[batch, seq]`.</summary>
    public Tensor InputIds { get; }

    /// <summary>
    /// Int64 `[batch]`: where each row is read off, the reference's pooling: its rightmost token that is not the padding token (0 where
    /// there is none). It has read all of the row and nothing of the padding.
    /// </summary>
    public Tensor LastPositions { get; }

    /// <summary>Tokens without padding.</summary>
    public int Tokens { get; }

    /// <summary>Builds the tensors; the caller disposes the batch.</summary>
    /// <param name="rows">At least one row, at least one id each.</param>
    /// <param name="padId">What fills shorter rows, a valid id; a row that ends in it is read off before it. Null for any filler, and rows that are read off at their end.</param>
    /// <param name="device">Where the tensors go; null for the CPU.</param>
    /// <exception cref="ArgumentException">There is no row, or a row without ids.</exception>
    public static TokenBatch Create(IReadOnlyList<int[]> rows, int? padId, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0) throw new ArgumentException("A batch needs at least one row.", nameof(rows));
        int longest = rows.Max(row => row.Length);
        var ids = new long[rows.Count * longest];
        var last = new long[rows.Count];
        int tokens = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            int[] content = rows[row];
            if (content.Length == 0) throw new ArgumentException($"Row {row} has no token.", nameof(rows));
            Span<long> line = ids.AsSpan(row * longest, longest);
            for (int i = 0; i < content.Length; i++) line[i] = content[i];
            line[content.Length..].Fill(padId ?? 0);
            last[row] = padId is { } pad ? Math.Max(0, content.AsSpan().LastIndexOfAnyExcept(pad)) : content.Length - 1;
            tokens += content.Length;
        }
        return new TokenBatch(tensor(ids, [rows.Count, longest], device: device), tensor(last, device: device), tokens);
    }

    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        InputIds.Dispose();
        LastPositions.Dispose();
    }
}
