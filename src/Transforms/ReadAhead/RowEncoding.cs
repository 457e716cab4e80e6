using System.Runtime.ExceptionServices;

namespace MLComponents.Transforms;

/// <summary>Encodes the rows of a window, on several threads where they are many.</summary>
internal static class RowEncoding
{
    /// <summary>From this many rows on several threads are worth it.</summary>
    private const int ParallelRows = 16;

    /// <summary>Encodes all rows.</summary>
    /// <param name="inputs">The rows.</param>
    /// <param name="encode">Encodes one; safe to call from several threads.</param>
    public static TRow[] All<TInput, TRow>(IReadOnlyList<TInput> inputs, Func<TInput, TRow> encode)
    {
        var rows = new TRow[inputs.Count];
        void EncodeOne(int row) => rows[row] = encode(inputs[row]);
        if (rows.Length < ParallelRows)
        {
            for (int row = 0; row < rows.Length; row++) EncodeOne(row);
            return rows;
        }

        try
        {
            Parallel.For(0, rows.Length, EncodeOne);
        }
        catch (AggregateException error)
        {
            ExceptionDispatchInfo.Throw(error.InnerExceptions[0]); // what a row throws does not depend on how many there are
        }

        return rows;
    }
}
