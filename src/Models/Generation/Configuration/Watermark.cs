namespace MLComponents.Models;

/// <summary>
/// A watermark: each token makes a part of the vocabulary, its green list, likelier as the next one. Kirchenbauer et al. 2023, "A Watermark for Large Language
/// Models" and "On the Reliability of Watermarks".
/// </summary>
public sealed record Watermark
{
    /// <summary>The part of the vocabulary that is green, between 0 and 1.</summary>
    public double GreenlistRatio { get; init; } = 0.25;

    /// <summary>What is added to the scores of green tokens.</summary>
    public double Bias { get; init; } = 2;

    /// <summary>The key that green lists follow from; keep it secret.</summary>
    public long HashingKey { get; init; } = 15485863;

    /// <summary>Whether green lists depend on the candidate itself, too (<c>selfhash</c>), not only on what is before it (<c>lefthash</c>).</summary>
    public bool SelfHash { get; init; }

    /// <summary>The number of tokens that green lists depend on; with <see cref="SelfHash"/> only.</summary>
    public int ContextWidth { get; init; } = 1;

    /// <summary>Checks the values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    internal void Validate()
    {
        if (!(GreenlistRatio > 0 && GreenlistRatio < 1)) throw new ArgumentOutOfRangeException(nameof(GreenlistRatio), GreenlistRatio, "Expected a number above 0 and below 1.");
        if (ContextWidth < 1) throw new ArgumentOutOfRangeException(nameof(ContextWidth), ContextWidth, "Expected at least 1 token.");
    }
}
