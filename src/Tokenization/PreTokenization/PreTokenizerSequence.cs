namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: pre-tokenizers one after the other.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizerStep> steps) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override bool AsksForOrigins => steps.Any(step => step.AsksForOrigins);

    /// <inheritdoc/>
    public override PreTokenizerStep? LeavingBytes() =>
        steps.Count > 0 && steps[^1].LeavingBytes() is { } last ? new PreTokenizerSequence([.. steps.SkipLast(1), last]) : null;

    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        foreach (PreTokenizerStep step in steps) step.Apply(ref text);
    }
}
