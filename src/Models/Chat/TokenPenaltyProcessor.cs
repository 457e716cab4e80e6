namespace MLComponents.Models;

/// <summary>
/// OpenAI's penalties: from the score of a token the presence penalty is subtracted if the reply holds it already, and the frequency penalty as often as it does. See
/// https://platform.openai.com/docs/advanced-usage/parameter-details.
/// </summary>
internal sealed class TokenPenaltyProcessor(float frequencyPenalty, float presencePenalty) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        HashSet<int> seen = [];
        foreach (int id in context.NewIds) scores[id] -= seen.Add(id) ? frequencyPenalty + presencePenalty : frequencyPenalty;
    }
}
