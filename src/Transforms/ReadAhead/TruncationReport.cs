namespace MLComponents.Transforms;

/// <summary>Counts rows that were cut and tells the log, so that nothing is cut silently.</summary>
/// <param name="tell">Writes a warning of how many rows there were and how many of them were cut.</param>
internal sealed class TruncationReport(Action<long, long> tell)
{
    private long _told;

    public long Rows { get; private set; }

    public long Truncated { get; private set; }

    public void Count(bool truncated)
    {
        Rows++;
        if (truncated) Truncated++;
    }

    /// <summary>Writes one warning when more rows were cut than at the last one.</summary>
    /// <returns>Whether it did.</returns>
    public bool Tell()
    {
        if (Truncated == _told) return false;
        _told = Truncated;
        tell(Rows, Truncated);
        return true;
    }
}
