namespace MLComponents.Tokenization;

/// <summary><c>Metaspace</c>: the character for spaces becomes a space, in the first token nothing where one was put in front.</summary>
internal sealed class MetaspaceDecoder(string replacement, bool prepends) : TokenDecoder
{
    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override byte[] BytesOf(string token) => System.Text.Encoding.UTF8.GetBytes(token.Replace(replacement, " ", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 0; index < tokens.Count; index++)
            tokens[index] = tokens[index].Replace(replacement, index == 0 && prepends ? "" : " ", StringComparison.Ordinal);
    }
}
