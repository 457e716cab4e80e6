namespace MLComponents.Models;

/// <summary>What instructions that put two vectors together take of each.</summary>
internal static class Shuffles
{
    /// <summary>Shuffle and Shuffle4x128: the first half of both.</summary>
    public const byte FirstHalves = 0x44;

    /// <summary>Shuffle and Shuffle4x128: the second half of both.</summary>
    public const byte SecondHalves = 0xEE;

    /// <summary>Shuffle and Shuffle4x128: what is at even places of both.</summary>
    public const byte EvenParts = 0x88;

    /// <summary>Shuffle and Shuffle4x128: what is at odd places of both.</summary>
    public const byte OddParts = 0xDD;

    /// <summary>Permute2x128: the lower half of both.</summary>
    public const byte Lower = 0x20;

    /// <summary>Permute2x128: the upper half of both.</summary>
    public const byte Upper = 0x31;
}
