namespace MLComponents.Tokenization;

/// <summary><c>BPEDecoder</c>: the suffix of words becomes a space, behind the last token nothing.</summary>
internal sealed class SuffixDecoder(string suffix) : TokenDecoder
{
    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 0; index < tokens.Count && suffix.Length > 0; index++)
            tokens[index] = tokens[index].Replace(suffix, index == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal);
    }
}
