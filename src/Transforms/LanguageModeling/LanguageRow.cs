namespace MLComponents.Transforms;

/// <summary>A text as a language model reads it.</summary>
/// <param name="Parts">Its parts: one, or several where the text is longer than the model may read. Every token is learnt in at most one of them.</param>
/// <param name="Truncated">Whether something was cut.</param>
internal sealed record LanguageRow(LanguageSequence[] Parts, bool Truncated) : IEncodedRow
{
    public IReadOnlyList<int[]> Sequences { get; } = [.. Parts.Select(part => part.Ids)];
}
