namespace MLComponents.Models;

/// <summary>Where a row has a certain length, its next token can only be one of some, all equally likely.</summary>
/// <param name="length">The length, padding and prompt included.</param>
/// <param name="ids">The ids.</param>
internal sealed class ForcedTokenProcessor(int length, IReadOnlyList<int> ids) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        if (context.Ids.Length != length) return;
        scores.Fill(float.NegativeInfinity);
        foreach (int id in ids) scores[id] = 0;
    }
}
