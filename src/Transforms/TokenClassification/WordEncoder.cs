using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Texts to windows of token ids, and words to the tokens that they are read off at. Safe to use from several threads.</summary>
internal sealed class WordEncoder
{
    private readonly PretrainedTokenizer _tokenizer;
    private readonly int _stride;
    private readonly int[] _empty;

    /// <summary>Wraps a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="maxLength">Most tokens of a window.</param>
    /// <param name="stride">How many tokens of the window before a window begins with.</param>
    public WordEncoder(PretrainedTokenizer tokenizer, int maxLength, int stride)
    {
        (_tokenizer, MaxLength, _stride) = (tokenizer, maxLength, stride);
        _empty = [tokenizer.EosTokenId ?? tokenizer.PadTokenId ?? tokenizer.BosTokenId ?? 0];
    }

    /// <summary>Most tokens of a window.</summary>
    public int MaxLength { get; }

    /// <summary>Encodes a text.</summary>
    /// <remarks>
    /// A word is read off at the last token that begins before the word ends; several words may share one. A token that two windows hold is read off in
    /// the earlier, where more stands before it.
    /// </remarks>
    public TokenizedRow Encode(TokenizedText text)
    {
        if (text.Words.Count == 0) return new(text, [], []);
        Encoding encoding = _tokenizer.Encode(text.Text);
        int[] ids = [.. encoding.Ids];
        int leading = 0, trailing = 0;
        while (leading < ids.Length && encoding.SpecialTokensMask[leading]) leading++;
        while (trailing < ids.Length - leading && encoding.SpecialTokensMask[ids.Length - 1 - trailing]) trailing++;
        int count = ids.Length - leading - trailing;
        if (count == 0) // words of which the tokenizer keeps nothing
        {
            ids = ids.Length == 0 ? _empty : ids;
            return new(text, [new TokenWindow(ids, 0, 0, ids.Length, 0)], [.. text.Words.Select(_ => (0, ids.Length - 1))]);
        }

        TokenWindow[] windows = TokenWindow.Cut(ids, leading, count, MaxLength, _stride);
        var readOff = new (int Window, int Position)[text.Words.Count];
        int window = 0;
        int token = 0;
        for (int word = 0; word < readOff.Length; word++)
        {
            while (token + 1 < count && StartOf(encoding, leading + token + 1) < text.Words[word].End) token++;
            while (token >= windows[window].First + windows[window].Count) window++;
            readOff[word] = (window, windows[window].Start + token - windows[window].First);
        }

        return new(text, windows, readOff);
    }

    private static int StartOf(Encoding encoding, int token) => encoding.Offsets[token].Start.Value;
}
