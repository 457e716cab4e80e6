namespace MLComponents.Tokenization;

/// <summary>tokenizer.json's <c>decoder</c>: turns tokens back into text.</summary>
internal abstract class TokenDecoder
{
    /// <summary>
    /// Whether what a token becomes depends on tokens before it only as far as it is part of a run of byte tokens, or the first: then a
    /// stream need not be decoded from its beginning, but from any token that is no byte token.
    /// </summary>
    public virtual bool IsLocal => false;

    /// <summary>Whether decoding can begin with any token behind a complete character.</summary>
    public virtual bool RestartsAnywhere => false;

    /// <summary>What a token adds to a text behind others, as bytes.</summary>
    /// <exception cref="NotSupportedException">What it adds depends on other tokens.</exception>
    public virtual byte[] BytesOf(string token) =>
        throw new NotSupportedException($"With the decoder {GetType().Name.Replace("Decoder", "", StringComparison.Ordinal)} of this tokenizer tokens have no bytes of their own.");

    /// <summary>Rewrites a row of tokens; the text is what they are in the end, joined.</summary>
    public abstract void Rewrite(List<string> tokens);

    /// <summary>The text of a row of tokens.</summary>
    public string Decode(List<string> tokens)
    {
        Rewrite(tokens);
        return tokens.Count == 1 ? tokens[0] : string.Concat(tokens);
    }
}
