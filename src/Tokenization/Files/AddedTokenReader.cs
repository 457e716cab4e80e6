namespace MLComponents.Tokenization;

/// <summary>Reads <c>added_tokens</c>.</summary>
internal static class AddedTokenReader
{
    /// <summary>Reads the tokens and checks their ids against each other's and the model's.</summary>
    public static IReadOnlyList<AddedToken> Read(JsonSection section, Vocabulary vocabulary)
    {
        if (section.IsNull) return [];
        var tokens = new List<AddedToken>();
        var contents = new Dictionary<int, string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonSection item in section.Items())
        {
            bool special = item["special"].Boolean(false);
            var token = new AddedToken(
                item["id"].Id(),
                item["content"].String(),
                item["single_word"].Boolean(false),
                item["lstrip"].Boolean(false),
                item["rstrip"].Boolean(false),
                item["normalized"].Boolean(!special),
                special);
            string? other = contents.TryGetValue(token.Id, out string? earlier) ? earlier : vocabulary[token.Id];
            if (other is not null && other != token.Content)
                throw new FormatException($"{item.File}: {item.Path}: the added token '{token.Content}' has the id {token.Id}, which '{other}' has already.");
            if (vocabulary.TryGetId(token.Content, out int id) && id != token.Id)
                throw new FormatException($"{item.File}: {item.Path}: the added token '{token.Content}' has the id {token.Id}, but model.vocab gives it {id}.");
            if (!seen.Add(token.Content))
                throw new FormatException($"{item.File}: {item.Path}: the added token '{token.Content}' is listed twice.");
            contents[token.Id] = token.Content;
            tokens.Add(token);
        }

        return tokens;
    }
}
