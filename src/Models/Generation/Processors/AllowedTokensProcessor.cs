namespace MLComponents.Models;

/// <summary>Rules out all but the tokens that a function allows.</summary>
internal sealed class AllowedTokensProcessor(AllowedTokens allowed) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        Span<bool> stays = new bool[scores.Length];
        bool any = false;
        foreach (int id in allowed(context.PromptIndex, context.Ids)) any = stays[id] = true;
        if (!any) throw new InvalidOperationException($"AllowedTokens allows nothing after the {context.Ids.Length} tokens of prompt {context.PromptIndex}; expected at least one id.");
        for (int id = 0; id < scores.Length; id++)
            if (!stays[id]) scores[id] = float.NegativeInfinity;
    }
}
