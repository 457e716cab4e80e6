namespace MLComponents.Tokenization;

/// <summary>An encoding that is being put together.</summary>
internal sealed class EncodingDraft
{
    /// <summary>The tokens so far.</summary>
    public List<DraftToken> Tokens { get; } = [];

    /// <summary>The finished encoding of a text.</summary>
    public Encoding Build(string text)
    {
        int count = Tokens.Count;
        var (ids, tokens, offsets) = (new int[count], new string[count], new Range[count]);
        var (mask, words) = (new bool[count], new int?[count]);
        for (int index = 0; index < count; index++)
        {
            DraftToken token = Tokens[index];
            ids[index] = token.Id;
            tokens[index] = token.Text;
            offsets[index] = token.Start..token.End;
            mask[index] = token.WordId is null;
            words[index] = token.WordId;
        }

        return new Encoding(text, ids, tokens, offsets, mask, words);
    }
}
