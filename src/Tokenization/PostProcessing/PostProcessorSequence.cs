namespace MLComponents.Tokenization;

/// <summary><c>Sequence</c>: post-processors one after the other; later ones add their tokens outside of earlier ones'.</summary>
internal sealed class PostProcessorSequence(IReadOnlyList<PostProcessor> steps) : PostProcessor
{
    /// <inheritdoc/>
    public override IReadOnlyList<DraftToken> Prefix { get; } = [.. steps.Reverse().SelectMany(step => step.Prefix)];

    /// <inheritdoc/>
    public override IReadOnlyList<DraftToken> Suffix { get; } = [.. steps.SelectMany(step => step.Suffix)];

    /// <inheritdoc/>
    public override void AdjustOffsets(EncodingDraft draft, ReadOnlySpan<char> text)
    {
        foreach (PostProcessor step in steps) step.AdjustOffsets(draft, text);
    }
}
