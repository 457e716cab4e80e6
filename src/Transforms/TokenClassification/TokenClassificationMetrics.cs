namespace MLComponents.Transforms;

/// <summary>How well tokens were labelled, and the entities that the labels make: one counts as found only where its type, its first and its last token are right.</summary>
public sealed class TokenClassificationMetrics : EntityMetrics
{
    internal TokenClassificationMetrics(EntityCounts counts, long rightTokens, long tokens)
        : base(counts) => (TokenAccuracy, Tokens) = (tokens == 0 ? 0 : (double)rightTokens / tokens, tokens);

    /// <summary>The part of the tokens whose label is right, 0 to 1.</summary>
    public double TokenAccuracy { get; }

    /// <summary>How many tokens have a label.</summary>
    public long Tokens { get; }
}
