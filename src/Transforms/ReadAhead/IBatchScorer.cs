namespace MLComponents.Transforms;

/// <summary>How rows become results: each is one or more sequences of token ids, which the model reads in batches of like length.</summary>
/// <typeparam name="TInput">What is read from the columns of a row.</typeparam>
/// <typeparam name="TRow">The row, encoded.</typeparam>
/// <typeparam name="TResult">What the added columns are made of.</typeparam>
internal interface IBatchScorer<TInput, TRow, TResult> : IModelRun
    where TRow : IEncodedRow
{
    /// <summary>Encodes a row. Safe to call from several threads.</summary>
    TRow Encode(TInput input);

    /// <summary>Runs the model once, for whichever thread comes first.</summary>
    /// <returns>Per sequence its numbers.</returns>
    float[][] Forward(IReadOnlyList<int[]> sequences);

    /// <summary>Makes the result of a row from the numbers of its sequences, in their order.</summary>
    TResult Combine(TRow row, ReadOnlySpan<float[]> outputs);

    /// <summary>Says in the log that rows were cut.</summary>
    void TellTruncated(long rows, long truncated);
}
