namespace MLComponents.Tokenization;

/// <summary>All added tokens, and the two matchers for them: on the raw text, and on what is left once it is normalized.</summary>
internal sealed class AddedVocabulary
{
    private readonly Dictionary<int, AddedToken> _byId = [];
    private readonly Dictionary<int, string> _texts = [];
    private readonly Dictionary<string, int> _byContent = new(StringComparer.Ordinal);

    /// <summary>Prepares the matchers.</summary>
    public AddedVocabulary(IReadOnlyList<AddedToken> tokens, TextNormalizer? normalizer)
    {
        Tokens = tokens;
        foreach (AddedToken token in tokens)
        {
            _byId[token.Id] = token;
            _byContent[token.Content] = token.Id;
            _texts[token.Id] = token.Normalized && normalizer is not null ? normalizer.Normalize(token.Content) : token.Content;
        }

        // Where two contents normalize to one, the special token wins, then the earlier one.
        AddedToken[] ordered = [.. tokens.Where(token => token.Special), .. tokens.Where(token => !token.Special)];
        Raw = new AddedTokenMatcher(ordered.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        Normalized = new AddedTokenMatcher(ordered.Where(token => token.Normalized).Select(token => (_texts[token.Id], token)));
    }

    /// <summary>The tokens in the order of the file.</summary>
    public IReadOnlyList<AddedToken> Tokens { get; }

    /// <summary>Finds the tokens that are not normalized.</summary>
    public AddedTokenMatcher Raw { get; }

    /// <summary>Finds the tokens that are.</summary>
    public AddedTokenMatcher Normalized { get; }

    /// <summary>The added token with an id, or null.</summary>
    public AddedToken? Find(int id) => _byId.GetValueOrDefault(id);

    /// <summary>What the token with an id decodes to: the text it is looked for by; null where there is no such token.</summary>
    public string? Text(int id) => _texts.GetValueOrDefault(id);

    /// <summary>The id of an added token.</summary>
    public bool TryGetId(string content, out int id) => _byContent.TryGetValue(content, out id);
}
