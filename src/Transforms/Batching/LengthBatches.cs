namespace MLComponents.Transforms;

/// <summary>
/// Plans batches of near-equal length: rows sorted by length, cut into runs that together cost least, so that little is computed
/// for padding. Scoring and training use the same plan.
/// </summary>
/// <remarks>
/// A batch of <c>r</c> rows whose longest has <c>t</c> tokens costs <c>r · t</c> padded tokens plus a fixed price for being one
/// more call. Over rows in order of length the cheapest cut is found exactly by dynamic programming, in time proportional to
/// rows · maxRows.
/// </remarks>
internal static class LengthBatches
{
    /// <summary>A price per batch that no saving of padding outweighs: as few batches as possible, then as little padding as possible.</summary>
    public const int FewestBatches = int.MaxValue;

    /// <summary>Plans the batches for rows of the given lengths.</summary>
    /// <param name="lengths">Tokens per row, at least 1 each.</param>
    /// <param name="maxRows">Most rows of a batch, at least 1.</param>
    /// <param name="maxTokens">Most padded tokens of a batch (rows times the longest row), at least 1. A row longer than this forms a batch of its own.</param>
    /// <param name="callCost">What one more batch costs, in padded tokens, at least 0.</param>
    /// <returns>Per batch the indexes of its rows, shorter rows first; every row is in exactly one batch; batches in order of length.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A limit is below 1, the price is negative, or a length is below 1.</exception>
    public static IReadOnlyList<int[]> Plan(IReadOnlyList<int> lengths, int maxRows, int maxTokens, int callCost = FewestBatches)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(callCost);
        int count = lengths.Count;
        if (count == 0) return [];

        var order = new int[count];
        for (int i = 0; i < count; i++)
        {
            if (lengths[i] < 1) throw new ArgumentOutOfRangeException(nameof(lengths), lengths[i], $"Row {i} has {lengths[i]} tokens; every row needs at least 1.");
            order[i] = i;
        }
        // Ties keep the order of the rows, so that the plan depends on nothing but its arguments.
        Array.Sort(order, (a, b) => lengths[a] != lengths[b] ? lengths[a].CompareTo(lengths[b]) : a.CompareTo(b));

        // cheapest[i]: the price of the first i rows; first[i]: where the last batch of that plan begins.
        var cheapest = new Int128[count + 1];
        var first = new int[count + 1];
        // Of plans that cost the same, the one with less padding.
        const int places = 40;
        Int128 price = (callCost == FewestBatches ? (Int128)long.MaxValue : callCost) << places, token = ((Int128)1 << places) + 1;
        for (int end = 1; end <= count; end++)
        {
            long longest = lengths[order[end - 1]];
            cheapest[end] = Int128.MaxValue;
            for (int rows = 1; rows <= maxRows && rows <= end && (rows == 1 || rows * longest <= maxTokens); rows++)
            {
                Int128 cost = cheapest[end - rows] + price + (rows * longest * token);
                if (cost < cheapest[end]) (cheapest[end], first[end]) = (cost, end - rows);
            }
        }

        var batches = new List<int[]>();
        for (int end = count; end > 0; end = first[end]) batches.Add(order[first[end]..end]);
        batches.Reverse();
        return batches;
    }
}
