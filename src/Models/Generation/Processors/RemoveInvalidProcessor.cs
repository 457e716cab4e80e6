namespace MLComponents.Models;

/// <summary>Makes NaN 0, and infinite scores the largest finite ones.</summary>
internal sealed class RemoveInvalidProcessor : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        foreach (ref float score in scores) score = float.IsNaN(score) ? 0 : Math.Clamp(score, float.MinValue, float.MaxValue);
    }
}
