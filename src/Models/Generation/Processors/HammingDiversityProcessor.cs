namespace MLComponents.Models;

/// <summary>Makes tokens less likely that beams of earlier groups have just taken. Vijayakumar et al. 2016, "Diverse Beam Search".</summary>
internal sealed class HammingDiversityProcessor(double penalty) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        foreach (int id in context.EarlierGroupIds) scores[id] -= (float)penalty;
    }
}
