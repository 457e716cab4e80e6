namespace MLComponents.Models;

/// <summary>Makes an end likelier with every token beyond a length.</summary>
/// <param name="decay">When it begins and how it grows.</param>
/// <param name="eosIds">The ids that end a row.</param>
internal sealed class ExponentialDecayProcessor(ExponentialDecay decay, IReadOnlyList<int> eosIds) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        int beyond = context.NewIds.Length - decay.Start;
        if (beyond <= 0) return;
        float growth = (float)(Math.Pow(decay.Factor, beyond) - 1);
        foreach (int id in eosIds) scores[id] += Math.Abs(scores[id]) * growth;
    }
}
