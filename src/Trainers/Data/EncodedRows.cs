namespace MLComponents.Trainers;

/// <summary>
/// The rows of a data set as token ids. They are encoded while they are read and, where they are few enough, kept for the next
/// pass.
/// </summary>
/// <param name="source">Reads and encodes all rows in the order of the data, each time it is enumerated; says of each whether it was cut.</param>
/// <param name="mostKept">Most rows that are kept in memory.</param>
internal sealed class EncodedRows<TRow>(IEnumerable<(TRow Row, bool Truncated)> source, int mostKept)
{
    private List<TRow>? _kept;

    /// <summary>Texts that were cut to the longest length: so far, in the first pass; of every pass after it.</summary>
    public long Truncated { get; private set; }

    /// <summary>Reads all rows in the order of the data.</summary>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public IEnumerable<TRow> Read(Action checkAlive)
    {
        if (_kept is not null)
        {
            foreach (TRow row in _kept) yield return row;
            yield break;
        }

        List<TRow>? kept = [];
        long truncated = 0;
        foreach ((TRow row, bool wasCut) in source)
        {
            checkAlive();
            if (wasCut) Truncated = Math.Max(Truncated, ++truncated);
            if (kept is not null && kept.Count < mostKept) kept.Add(row);
            else kept = null;
            yield return row;
        }

        _kept = kept;
    }
}
