namespace MLComponents.Tokenization;

/// <summary>tokenizer.json's <c>decoder</c>: turns tokens back into text.</summary>
internal abstract class TokenDecoder
{
    /// <summary>The text of a row of tokens.</summary>
    public abstract string Decode(IReadOnlyList<string> tokens);
}
