namespace MLComponents.Models;

/// <summary>Rules out an end before a row has a length.</summary>
/// <param name="length">The length, in tokens.</param>
/// <param name="ofNewTokens">Whether only new tokens count; else the prompt and its padding count, too.</param>
/// <param name="eosIds">The ids that end a row.</param>
internal sealed class MinLengthProcessor(int length, bool ofNewTokens, IReadOnlyList<int> eosIds) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        if ((ofNewTokens ? context.NewIds.Length : context.Ids.Length) >= length) return;
        foreach (int id in eosIds) scores[id] = float.NegativeInfinity;
    }
}
