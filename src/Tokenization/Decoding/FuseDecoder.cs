namespace MLComponents.Tokenization;

/// <summary><c>Fuse</c>: all tokens become one, for what follows.</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        string text = string.Concat(tokens);
        tokens.Clear();
        tokens.Add(text);
    }
}
