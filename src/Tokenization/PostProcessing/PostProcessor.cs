namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>post_processor</c>: finishes the offsets, adds special tokens around one or two texts.</summary>
internal abstract class PostProcessor
{
    /// <summary>How many tokens it adds.</summary>
    /// <param name="isPair">Whether there are two texts.</param>
    public virtual int AddedTokens(bool isPair) => 0;

    /// <summary>How many parts it makes of a number of parts; -1 for a number that it cannot process.</summary>
    /// <param name="parts">The number of parts.</param>
    /// <param name="addSpecialTokens">Whether special tokens are added.</param>
    public virtual int PartsOf(int parts, bool addSpecialTokens) => parts;

    /// <summary>Processes the parts of an encoding: at first one per text.</summary>
    /// <param name="parts">The parts, which may be changed.</param>
    /// <param name="addSpecialTokens">Whether special tokens are added.</param>
    /// <param name="sources">The texts or words that offsets are of.</param>
    /// <returns>The parts that make up the result, in order.</returns>
    public abstract IReadOnlyList<EncodingDraft> Process(IReadOnlyList<EncodingDraft> parts, bool addSpecialTokens, IReadOnlyList<string> sources);
}
