namespace MLComponents.Trainers;

/// <summary>How much a step takes: so many rows or, where a number of tokens is given, as many rows as have no more than these together.</summary>
/// <param name="Rows">Rows of a step, at least 1; without a number of tokens.</param>
/// <param name="Tokens">Most tokens of a step, padding not counted, at least 1; null for a number of rows. A row with more is a step of its own.</param>
internal readonly record struct BatchLimit(int Rows, int? Tokens = null)
{
    /// <summary>What options say.</summary>
    public static BatchLimit Of(FineTuningOptions options) => new(options.BatchSize, options.TokensPerUpdate);

    /// <summary>Most rows that are read at once.</summary>
    public int MostRows => Tokens is null ? Rows : int.MaxValue;

    /// <summary>Whether a row no longer fits into a batch that has others already.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="tokens">Their tokens.</param>
    /// <param name="length">Tokens of the row.</param>
    public bool IsFull(int rows, long tokens, int length) => Tokens is { } most ? tokens + length > most : rows >= Rows;

    /// <summary>Rows of a batch, on average, of rows that have so many tokens together.</summary>
    public int RowsOf(int rows, long tokens) => Tokens is { } most ? (int)Math.Max(1, (long)most * rows / Math.Max(1, tokens)) : Rows;
}
