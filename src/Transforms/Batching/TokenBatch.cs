using MLComponents.Models;
using static TorchSharp.torch;

namespace MLComponents.Transforms;

/// <summary>Rows of token ids as the tensors that a causal model needs to classify them: padded on the right, with no mask.</summary>
internal sealed class TokenBatch : IDisposable
{
    private readonly int[] _lengths;

    private TokenBatch(Tensor inputIds, Tensor lastPositions, int[] lengths)
    {
        (InputIds, LastPositions, _lengths) = (inputIds, lastPositions, lengths);
    }

    /// <summary>Int64 ids `[batch, seq]`.</summary>
    public Tensor InputIds { get; }

    /// <summary>
    /// Int64 `[batch]`: where each row is read off, the reference's pooling: its rightmost token that is not the padding token (0 where
    /// there is none). It has read all of the row and nothing of the padding.
    /// </summary>
    public Tensor LastPositions { get; }

    /// <summary>Tokens without padding.</summary>
    public int Tokens => _lengths.Sum();

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
        for (int row = 0; row < rows.Count; row++)
        {
            int[] content = rows[row];
            if (content.Length == 0) throw new ArgumentException($"Row {row} has no token.", nameof(rows));
            Span<long> line = ids.AsSpan(row * longest, longest);
            for (int i = 0; i < content.Length; i++) line[i] = content[i];
            line[content.Length..].Fill(padId ?? 0);
            last[row] = LastPosition(content, padId);
        }
        return new TokenBatch(tensor(ids, [rows.Count, longest], device: device), tensor(last, device: device), [.. rows.Select(row => row.Length)]);
    }

    /// <summary>Where a row is read off, see <see cref="LastPositions"/>.</summary>
    public static int LastPosition(int[] row, int? padId) => padId is { } pad ? Math.Max(0, row.AsSpan().LastIndexOfAnyExcept(pad)) : row.Length - 1;

    /// <summary>The attention mask that a model needs for these rows: none where it is causal, as what is padded on the right is seen by nobody.</summary>
    /// <returns>Null, or Int64 <c>[batch, seq]</c>, in the dispose scope of the caller.</returns>
    public Tensor? MaskFor(DecoderConfig config)
    {
        if (config.IsCausal || _lengths.All(length => length == InputIds.shape[1])) return null;
        Tensor lengths = tensor(Array.ConvertAll(_lengths, length => (long)length), device: InputIds.device);
        return (arange(InputIds.shape[1], device: InputIds.device).unsqueeze(0) < lengths.unsqueeze(1)).to(ScalarType.Int64);
    }

    /// <summary>Cuts numbers that belong to tokens into rows, without those of the padding.</summary>
    /// <param name="values">Float32 <c>[batch, seq, width]</c> on the CPU, contiguous.</param>
    /// <param name="width">Numbers per token.</param>
    public float[][] PerRow(Tensor values, int width)
    {
        float[] all = values.data<float>().ToArray();
        int row = (int)InputIds.shape[1] * width;
        return [.. _lengths.Select((length, index) => all[(index * row)..((index * row) + (length * width))])];
    }

    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        InputIds.Dispose();
        LastPositions.Dispose();
    }
}
