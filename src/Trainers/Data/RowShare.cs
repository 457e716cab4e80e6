namespace MLComponents.Trainers;

/// <summary>Sets a share of the rows of a data set apart: the same rows for the same seed, whatever is read in between.</summary>
internal static class RowShare
{
    /// <summary>Whether a row is of the share.</summary>
    /// <param name="row">Its number, from 0.</param>
    /// <param name="fraction">How much of the rows, 0 to 1.</param>
    /// <param name="seed">Chooses the rows.</param>
    public static bool Contains(long row, double fraction, int seed) => Uniform((ulong)row, (uint)seed) < fraction;

    /// <summary>A number in [0, 1) from a row's number and a seed: the mixing function of SplitMix64.</summary>
    private static double Uniform(ulong row, uint seed)
    {
        ulong z = (row + 1) * 0x9E3779B97F4A7C15UL + seed * 0xD1B54A32D192ED03UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
