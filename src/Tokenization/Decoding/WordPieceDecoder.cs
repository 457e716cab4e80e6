namespace MLComponents.Tokenization;

/// <summary><c>WordPiece</c>: spaces between tokens, except before those that continue a word.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : TokenDecoder
{
    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        for (int index = 0; index < tokens.Count; index++)
        {
            string token = tokens[index];
            if (index > 0) token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
            tokens[index] = cleanup ? TextCleaning.CleanToken(token) : token;
        }
    }
}
