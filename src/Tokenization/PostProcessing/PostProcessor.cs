namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>post_processor</c>: finishes the offsets, adds special tokens around the text.</summary>
internal abstract class PostProcessor
{
    /// <summary>What it puts before the text.</summary>
    public virtual IReadOnlyList<DraftToken> Prefix => [];

    /// <summary>What it puts behind the text.</summary>
    public virtual IReadOnlyList<DraftToken> Suffix => [];

    /// <summary>Changes the offsets of tokens of the text.</summary>
    /// <param name="draft">The tokens, special ones of earlier steps included.</param>
    /// <param name="text">The original text.</param>
    public virtual void AdjustOffsets(EncodingDraft draft, ReadOnlySpan<char> text)
    {
    }
}
