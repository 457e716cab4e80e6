namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: post-processors one after the other, each on what the one before made.</summary>
internal sealed class PostProcessorSequence(IReadOnlyList<PostProcessor> steps) : PostProcessor
{
    /// <inheritdoc/>
    public override int AddedTokens(bool isPair) => steps.Sum(step => step.AddedTokens(isPair));

    /// <inheritdoc/>
    public override int PartsOf(int parts, bool addSpecialTokens) =>
        steps.Aggregate(parts, (count, step) => count < 0 ? count : step.PartsOf(count, addSpecialTokens));

    /// <inheritdoc/>
    public override IReadOnlyList<EncodingDraft> Process(IReadOnlyList<EncodingDraft> parts, bool addSpecialTokens, IReadOnlyList<string> sources)
    {
        foreach (PostProcessor step in steps) parts = step.Process(parts, addSpecialTokens, sources);
        return parts;
    }
}
