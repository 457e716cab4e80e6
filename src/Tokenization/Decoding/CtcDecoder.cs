namespace MLComponents.Tokenization;

/// <summary><c>CTC</c>: repeated tokens are one, padding is nothing, the delimiter of words a space.</summary>
internal sealed class CtcDecoder(string padToken, string wordDelimiter, bool cleanup) : TokenDecoder
{
    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        var result = new List<string>();
        for (int index = 0; index < tokens.Count; index++)
        {
            if (index > 0 && tokens[index] == tokens[index - 1]) continue;
            string token = padToken.Length == 0 ? tokens[index] : tokens[index].Replace(padToken, "", StringComparison.Ordinal);
            if (cleanup)
            {
                token = TextCleaning.CleanToken(token);
                if (wordDelimiter.Length > 0) token = token.Replace(wordDelimiter, " ", StringComparison.Ordinal);
            }

            if (token.Length > 0) result.Add(token);
        }

        tokens.Clear();
        tokens.AddRange(result);
    }
}
