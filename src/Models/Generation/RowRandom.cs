namespace MLComponents.Models;

/// <summary>
/// The random numbers of one row: those of a step follow from the row's seed and the number of the step alone, whatever happens beside it. Steele et al. 2014,
/// SplitMix.
/// </summary>
/// <param name="seed">The seed.</param>
internal readonly struct RowRandom(long seed)
{
    private const ulong Increment = 0x9e3779b97f4a7c15;

    /// <summary>The seed of a row, from that of all.</summary>
    public static long SeedOf(long seed, int row) => (long)Mix((ulong)seed + (Increment * (ulong)(row + 1)));

    /// <summary>The random numbers of a row, by the seed of all.</summary>
    public static RowRandom Of(long seed, int row) => new(SeedOf(seed, row));

    /// <summary>A number from 0 up to, but not including, 1.</summary>
    /// <param name="step">The step.</param>
    /// <param name="draw">Which number of the step.</param>
    public double Next(int step, int draw = 0) => (Mix(Mix((ulong)seed + (Increment * (ulong)(step + 1))) + (Increment * (ulong)draw)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
