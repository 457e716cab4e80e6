namespace MLComponents.Tokenization;

/// <summary>What becomes of the matches of a <c>Split</c>.</summary>
internal enum SplitBehavior
{
    /// <summary>They disappear.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>Each joins the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each joins the piece behind it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}
