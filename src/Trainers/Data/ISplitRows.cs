namespace MLComponents.Trainers;

/// <summary>Rows of a data set that can be parted in two.</summary>
/// <typeparam name="TSelf">The rows.</typeparam>
internal interface ISplitRows<TSelf>
{
    /// <summary>Parts the rows in two by their number: the same rows for the same seed, whatever is read in between.</summary>
    /// <param name="fraction">The share of the second part, 0 to 1.</param>
    /// <param name="seed">Chooses the rows.</param>
    (TSelf Remainder, TSelf Part) Split(double fraction, int seed);
}
