namespace MLComponents.Tokenization;

/// <summary>The clean-up of English texts that were put together from words with spaces between them.</summary>
internal static class TextCleaning
{
    private static readonly (string From, string To)[] Spaces =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    /// <summary>As transformers does it where <c>clean_up_tokenization_spaces</c> is set.</summary>
    public static string Clean(string text) => Spaces.Aggregate(text, (current, rule) => current.Replace(rule.From, rule.To, StringComparison.Ordinal));

    /// <summary>As the decoders <c>WordPiece</c> and <c>CTC</c> do it; they also contract "do not".</summary>
    public static string CleanToken(string text)
    {
        if (!text.Contains(' ')) return text;
        foreach ((string from, string to) in Spaces)
        {
            text = text.Replace(from, to, StringComparison.Ordinal);
            if (from == " 'm") text = text.Replace(" do not", " don't", StringComparison.Ordinal);
        }

        return text;
    }
}
