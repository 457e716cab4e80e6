namespace MLComponents.Transforms;

/// <summary>A part of a text as a language model reads it.</summary>
/// <param name="Ids">The token ids, at least one.</param>
/// <param name="Learned">Per token whether it is to be predicted from those before it; never the first.</param>
internal sealed record LanguageSequence(int[] Ids, bool[] Learned)
{
    /// <summary>How many tokens are to be predicted.</summary>
    public int LearnedCount { get; } = Learned.Count(learned => learned);
}
