namespace MLComponents.Tokenization;

/// <summary>No decoder: tokens with spaces between them.</summary>
internal sealed class JoiningDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 1; index < tokens.Count; index++) tokens[index] = " " + tokens[index];
    }
}
