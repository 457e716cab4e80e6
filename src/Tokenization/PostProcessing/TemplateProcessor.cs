namespace MLComponents.Tokenization;

/// <summary><c>TemplateProcessing</c> for a single text: special tokens before and behind it.</summary>
internal sealed class TemplateProcessor(IReadOnlyList<DraftToken> prefix, IReadOnlyList<DraftToken> suffix) : PostProcessor
{
    /// <inheritdoc/>
    public override IReadOnlyList<DraftToken> Prefix { get; } = prefix;

    /// <inheritdoc/>
    public override IReadOnlyList<DraftToken> Suffix { get; } = suffix;
}
