namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: pre-tokenizers one after the other.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizerStep> steps) : PreTokenizerStep
{
    /// <inheritdoc/>
    public override bool YieldsBytes => steps.Count > 0 && steps[^1].YieldsBytes;

    /// <inheritdoc/>
    public override void Apply(ref PreTokenizedText text)
    {
        foreach (PreTokenizerStep step in steps) step.Apply(ref text);
    }
}
