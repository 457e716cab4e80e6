namespace MLComponents.Tokenization;

/// <summary>
/// A text, or two, as tokens. All lists have one entry per token. Offsets are exact in the text that was given, whatever normalization
/// did to it.
/// </summary>
public sealed class Encoding
{
    private readonly List<DraftToken> _tokens;
    private readonly Range?[] _sequences;
    private readonly IReadOnlyList<string> _sources;
    private string[]? _texts;
    private Range[]? _offsets;
    private bool[]? _special;
    private bool[]? _attention;
    private int[]? _types;
    private int?[]? _words;
    private int?[]? _sequenceIds;

    internal Encoding(EncodingDraft draft, IReadOnlyList<string> sources)
    {
        _tokens = draft.Tokens; // which nobody changes any more
        _sequences = draft.Sequences;
        _sources = sources;
        Ids = List(token => token.Id);
        Overflowing = draft.Overflowing.Count == 0 ? [] : draft.Overflowing.ConvertAll(window => new Encoding(window, sources));
    }

    /// <summary>The token ids.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>The tokens as the vocabulary writes them; an added token with the white space it swallowed.</summary>
    public IReadOnlyList<string> Tokens => _texts ??= List(token => token.Text);

    /// <summary>
    /// The ranges of the original text, in UTF-16 units counted from its start, that the tokens came from: of the first or the second
    /// text as <see cref="SequenceIds"/> says, or of the word that <see cref="WordIds"/> says where words were given. Tokens that share
    /// a character all have its whole range; tokens that came from no text have an empty range at 0.
    /// </summary>
    public IReadOnlyList<Range> Offsets => _offsets ??= List(token => token.Start..token.End);

    /// <summary>
    /// True for tokens that the post-processor or padding added; false for tokens of the text, also for special tokens written in it.
    /// </summary>
    public IReadOnlyList<bool> SpecialTokensMask => _special ??= List(token => token.Kind != TokenKind.Text);

    /// <summary>True for all tokens but padding: what a model should attend to.</summary>
    public IReadOnlyList<bool> AttentionMask => _attention ??= List(token => token.Kind != TokenKind.Padding);

    /// <summary>The segment of every token, for models with segment embeddings (<c>token_type_ids</c>).</summary>
    public IReadOnlyList<int> TypeIds => _types ??= List(token => token.TypeId);

    /// <summary>
    /// The piece of the pre-tokenized text, counted from 0, that a token belongs to, or the word where words were given; null for tokens
    /// that were added to the text.
    /// </summary>
    public IReadOnlyList<int?> WordIds => _words ??= List(token => token.Word < 0 ? null : (int?)token.Word);

    /// <summary>The text, 0 or 1, that a token belongs to; null for tokens that were added.</summary>
    public IReadOnlyList<int?> SequenceIds => _sequenceIds ??= FindSequenceIds();

    /// <summary>The windows that truncation cut off, in order; each overlaps the one before by the stride.</summary>
    public IReadOnlyList<Encoding> Overflowing { get; }

    /// <summary>
    /// The offsets counted in Unicode code points, as Python counts them. A lone surrogate counts as one code point.
    /// </summary>
    /// <returns>Start and end (exclusive) per token.</returns>
    public IReadOnlyList<(int Start, int End)> GetCodePointOffsets()
    {
        var counts = new Dictionary<int, int[]>();
        return List(token =>
        {
            if (token.Source < 0) return (0, 0);
            if (!counts.TryGetValue(token.Source, out int[]? codePoints)) counts[token.Source] = codePoints = CodePoints.Indexes(_sources[token.Source]);
            return (codePoints[token.Start], codePoints[token.End]);
        });
    }

    private T[] List<T>(Func<DraftToken, T> property)
    {
        var list = new T[_tokens.Count];
        for (int index = 0; index < list.Length; index++) list[index] = property(_tokens[index]);
        return list;
    }

    // Without any mark there is one text, and it is everything.
    private int?[] FindSequenceIds()
    {
        var ids = new int?[_tokens.Count];
        int count = Math.Max(1, _sequences.Count(sequence => sequence is not null));
        for (int sequence = 0; sequence < count; sequence++)
        {
            (int offset, int length) = (_sequences[sequence] ?? Range.All).GetOffsetAndLength(ids.Length);
            Array.Fill(ids, sequence, offset, length);
        }

        return ids;
    }
}
