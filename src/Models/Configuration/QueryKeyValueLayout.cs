namespace MLComponents.Models;

/// <summary>How the projections to queries, keys and values lie in a checkpoint.</summary>
public enum QueryKeyValueLayout
{
    /// <summary>Three matrices.</summary>
    Separate,

    /// <summary>One matrix: the rows of all queries, then of all keys, then of all values.</summary>
    Stacked,

    /// <summary>One matrix: for each head the rows of its query, its key and its value. Every head has a key and a value of its own.</summary>
    Interleaved,
}
