namespace MLComponents.Models;

/// <summary>Rules ids out, everywhere or for one new token only.</summary>
/// <param name="ids">The ids.</param>
/// <param name="at">Before which new token, from 0; null for all.</param>
internal sealed class SuppressTokensProcessor(IReadOnlyList<int> ids, int? at = null) : LogitsProcessor
{
    /// <inheritdoc/>
    public override void Process(LogitsContext context, Span<float> scores)
    {
        if (at is { } only && context.NewIds.Length != only) return;
        foreach (int id in ids) scores[id] = float.NegativeInfinity;
    }
}
