namespace MLComponents.Models;

/// <summary>What is added to the score of a token that would complete a run of ids.</summary>
public sealed record SequenceBias
{
    /// <summary>The ids, at least one.</summary>
    public required IReadOnlyList<int> Ids { get; init => field = new ValueList<int>(value); }

    /// <summary>What is added; negative makes the run less likely.</summary>
    public required double Bias { get; init; }
}
