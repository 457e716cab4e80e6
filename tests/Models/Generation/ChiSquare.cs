namespace MLComponents.Models.Tests;

/// <summary>Pearson's test of whether counts come from a distribution.</summary>
internal static class ChiSquare
{
    private const double LeastExpected = 5;

    /// <summary>What is impossible never happened, and the statistic is not beyond what chance gives in all but one of 100,000 tests.</summary>
    public static void AssertFits(ReadOnlySpan<float> probabilities, ReadOnlySpan<int> counts)
    {
        int total = 0;
        foreach (int count in counts) total += count;
        double statistic = 0, restExpected = 0, restCount = 0;
        int cells = 0;
        for (int id = 0; id < counts.Length; id++)
        {
            if (probabilities[id] == 0) Assert.Equal(0, counts[id]);
            double expected = probabilities[id] * total;
            if (expected < LeastExpected)
            {
                (restExpected, restCount) = (restExpected + expected, restCount + counts[id]);
                continue;
            }

            statistic += (counts[id] - expected) * (counts[id] - expected) / expected;
            cells++;
        }

        if (restExpected >= LeastExpected)
        {
            statistic += (restCount - restExpected) * (restCount - restExpected) / restExpected;
            cells++;
        }

        // Wilson and Hilferty: the cube root of a chi-square variable over its degrees of freedom is nearly normal.
        int freedom = Math.Max(1, cells - 1);
        double spread = 2.0 / (9 * freedom), z = (Math.Cbrt(statistic / freedom) - (1 - spread)) / Math.Sqrt(spread);
        Assert.True(z < 4.27, $"Chi-square is {statistic:F1} with {freedom} degrees of freedom, {z:F1} standard deviations above what is expected.");
    }
}
