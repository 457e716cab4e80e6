namespace MLComponents.Tokenization;

/// <summary>No decoder: tokens with spaces between them.</summary>
internal sealed class JoiningDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override string Decode(IReadOnlyList<string> tokens) => string.Join(' ', tokens);
}
