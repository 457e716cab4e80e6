namespace MLComponents.Models;

/// <summary>
/// Rows of tokens that a model has read, with what it keeps of them. A row is its own tokens and nothing else: there is no padding, positions count from 0 in each
/// row, and no row sees another.
/// </summary>
internal interface IDecodingBatch : IDisposable
{
    /// <summary>The number of rows.</summary>
    int RowCount { get; }

    /// <summary>The tokens that a row has read.</summary>
    ReadOnlySpan<int> TokensOf(int row);

    /// <summary>Whether rows that have read something may read different numbers of tokens, and each gets the bits that it would get alone.</summary>
    bool ReadsUnevenly { get; }

    /// <summary>
    /// Reads the next tokens of every row, at least one of each. Where rows have read something already, all of them read the same number, unless the batch
    /// <see cref="ReadsUnevenly"/>.
    /// </summary>
    /// <param name="tokens">The new tokens of row 0, then those of row 1, and so on.</param>
    /// <param name="counts">How many of them belong to each row, <c>[rows]</c>.</param>
    /// <param name="scored">For how many of the last new tokens logits are wanted, from 0 to the smallest count.</param>
    /// <param name="logits">Takes the logits of what follows these tokens: <c>[rows, scored, vocabulary]</c>, not processed.</param>
    /// <param name="hidden">Empty, or takes the final hidden states of the same tokens, after the last norm: <c>[rows, scored, hidden]</c>.</param>
    void Read(ReadOnlySpan<int> tokens, ReadOnlySpan<int> counts, int scored, Span<float> logits, Span<float> hidden = default);

    /// <summary>Makes these rows, in this order, the only ones; a row may be named several times or not at all.</summary>
    void Select(ReadOnlySpan<int> rows);

    /// <summary>Forgets the last tokens of every row. Only for batches that were made for it.</summary>
    /// <param name="count">How many tokens.</param>
    void Forget(int count);

    /// <summary>Appends the rows of another batch of the same model, which is empty afterwards.</summary>
    void Join(IDecodingBatch other);

    /// <summary>Another batch that has read the same.</summary>
    IDecodingBatch Clone();
}
