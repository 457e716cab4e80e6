namespace MLComponents.Tokenization;

/// <summary>Which text is cut where an encoding is longer than it may be.</summary>
public enum TruncationStrategy
{
    /// <summary>None (<c>do_not_truncate</c>).</summary>
    DoNotTruncate,

    /// <summary>The longer one, or both down to the same length (<c>longest_first</c>).</summary>
    LongestFirst,

    /// <summary>The first one (<c>only_first</c>).</summary>
    OnlyFirst,

    /// <summary>The second one (<c>only_second</c>).</summary>
    OnlySecond,
}
