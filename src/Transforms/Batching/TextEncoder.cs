using MLComponents.Tokenization;

namespace MLComponents.Transforms;

/// <summary>Texts to token ids under a longest length: what training and scoring have the model read. Safe to use from several threads.</summary>
internal sealed class TextEncoder
{
    private readonly PretrainedTokenizer _tokenizer;
    private readonly int[] _empty;
    private readonly int _addedToPair;
    private long _texts, _truncated;

    /// <summary>Wraps a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="maxLength">Most tokens of a text, special ones included, at least 1.</param>
    /// <param name="side">Which part of a longer text is cut.</param>
    public TextEncoder(PretrainedTokenizer tokenizer, int maxLength, TruncationSide side = TruncationSide.End)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 1);
        (_tokenizer, MaxLength, Side) = (tokenizer, maxLength, side);
        // A model cannot read nothing: an empty text is the token that ends texts.
        _empty = [tokenizer.EosTokenId ?? tokenizer.PadTokenId ?? tokenizer.BosTokenId ?? 0];
        _addedToPair = tokenizer.Join([], []).Length;
    }

    /// <summary>Most tokens of a text.</summary>
    public int MaxLength { get; }

    /// <summary>Which part of a longer text is cut.</summary>
    public TruncationSide Side { get; }

    /// <summary>Whether the tokenizer puts anything between the two texts of a pair.</summary>
    public bool SeparatesPairs
    {
        get
        {
            // Ids that no token has stand for the texts.
            ReadOnlySpan<int> joined = _tokenizer.Join([-1], [-2]);
            return Math.Abs(joined.IndexOf(-2) - joined.IndexOf(-1)) > 1;
        }
    }

    /// <summary>Texts encoded so far.</summary>
    public long Texts => Interlocked.Read(ref _texts);

    /// <summary>How many of them were cut.</summary>
    public long Truncated => Interlocked.Read(ref _truncated);

    /// <summary>Encodes a text or a pair of texts.</summary>
    public EncodedText Encode(TextInput input) => input.Pair is { } pair ? EncodePair(input.Text.Span, pair.Span) : Encode(input.Text.Span);

    /// <summary>Encodes a text with the tokenizer's special tokens; an empty one becomes the token that ends texts.</summary>
    public EncodedText Encode(ReadOnlySpan<char> text)
    {
        Interlocked.Increment(ref _texts);
        int[] ids = _tokenizer.EncodeIds(text);
        if (ids.Length == 0) return new(_empty, Truncated: false);
        if (ids.Length <= MaxLength) return new(ids, Truncated: false);
        Interlocked.Increment(ref _truncated);
        IReadOnlyList<bool> special = _tokenizer.Encode(text.ToString()).SpecialTokensMask;
        int leading = 0, trailing = 0;
        while (leading < special.Count && special[leading]) leading++;
        while (trailing < special.Count - leading && special[special.Count - 1 - trailing]) trailing++;
        return new(TextTruncation.Cut(ids, leading, trailing, MaxLength, Side), Truncated: true);
    }

    /// <summary>
    /// Encodes a pair as the tokenizer's template joins one. Of a longer one, the longer text gives way first, and then both alike (the reference's <c>longest_first</c>); what
    /// stands around and between them stays.
    /// </summary>
    private EncodedText EncodePair(ReadOnlySpan<char> text, ReadOnlySpan<char> pair)
    {
        Interlocked.Increment(ref _texts);
        int[] first = _tokenizer.EncodeIds(text, addSpecialTokens: false), second = _tokenizer.EncodeIds(pair, addSpecialTokens: false);
        bool isTooLong = first.Length + second.Length + _addedToPair > MaxLength;
        if (isTooLong)
        {
            Interlocked.Increment(ref _truncated);
            (int keptOfFirst, int keptOfSecond) = EncodingLimits.Share(first.Length, second.Length, Math.Max(0, MaxLength - _addedToPair), isPair: true);
            first = TextTruncation.Cut(first, 0, 0, keptOfFirst, Side);
            second = TextTruncation.Cut(second, 0, 0, keptOfSecond, Side);
        }

        int[] ids = _tokenizer.Join(first, second);
        if (ids.Length == 0) ids = _empty;
        if (ids.Length > MaxLength) ids = TextTruncation.Cut(ids, 0, 0, MaxLength, Side); // not even the special tokens fit
        return new(ids, isTooLong);
    }
}
