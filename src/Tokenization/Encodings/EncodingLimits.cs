namespace MLComponents.Tokenization;

/// <summary>Options checked against a tokenizer: how encodings are cut and padded.</summary>
internal sealed class EncodingLimits
{
    private readonly EncodingOptions _options;
    private readonly PostProcessor? _postProcessor;
    private readonly SequenceSide _truncationSide;
    private readonly SequenceSide _paddingSide;
    private readonly int _maxLength;
    private readonly DraftToken _padding;

    /// <summary>Checks options.</summary>
    /// <exception cref="ArgumentException">They contradict each other or the tokenizer.</exception>
    public EncodingLimits(EncodingOptions options, PretrainedTokenizer tokenizer, PostProcessor? postProcessor)
    {
        (_options, _postProcessor) = (options, postProcessor);
        _truncationSide = options.TruncationSide ?? tokenizer.TruncationSide;
        _paddingSide = options.PaddingSide ?? tokenizer.PaddingSide;
        ArgumentOutOfRangeException.ThrowIfNegative(options.Stride, nameof(options.Stride));
        if (options.MaxLength is { } given) ArgumentOutOfRangeException.ThrowIfLessThan(given, 1, nameof(options.MaxLength));
        if (options.PadToMultipleOf is { } multiple) ArgumentOutOfRangeException.ThrowIfLessThan(multiple, 1, nameof(options.PadToMultipleOf));
        bool truncates = options.Truncation != TruncationStrategy.DoNotTruncate;
        bool pads = options.Padding != PaddingStrategy.DoNotPad;
        if (truncates || options.Padding == PaddingStrategy.MaxLength)
        {
            _maxLength = options.MaxLength ?? tokenizer.ModelMaxLength
                ?? throw new ArgumentException("Truncation and padding to a length need MaxLength: the tokenizer's configuration has no model_max_length.", nameof(options));
        }

        if (truncates) CheckTruncation();
        if (!pads) return;
        if (truncates && options.PadToMultipleOf is { } size && _maxLength % size != 0)
            throw new ArgumentException($"MaxLength ({_maxLength}) must be a multiple of PadToMultipleOf ({size}) where texts are both cut and padded.", nameof(options));
        int id = options.PadTokenId ?? tokenizer.PadTokenId
            ?? throw new ArgumentException("Padding needs a token: the tokenizer has none, so set PadTokenId, for example to the tokenizer's EosTokenId.", nameof(options));
        string text = tokenizer.IdToToken(id) ?? throw new ArgumentException($"PadTokenId is {id}, which is no token of the tokenizer.", nameof(options));
        _padding = new DraftToken(id, text, 0, 0, -1, options.PadTypeId, TokenKind.Padding, -1);
    }

    /// <summary>Cuts one text or two.</summary>
    /// <exception cref="ArgumentException">The text that is to be cut is missing, or too short for what there is to cut.</exception>
    public void Truncate(EncodingDraft first, EncodingDraft? second)
    {
        if (_options.Truncation == TruncationStrategy.DoNotTruncate) return;
        int limit = _maxLength - (_options.AddSpecialTokens ? _postProcessor?.AddedTokens(second is not null) ?? 0 : 0);
        if (limit < 0) throw TooShort(_maxLength - limit, second is not null);
        int stride = _options.Stride;
        if (limit == 0)
        {
            first.Truncate(0, stride, _truncationSide);
            second?.Truncate(0, stride, _truncationSide);
            return;
        }

        int excess = first.Count + (second?.Count ?? 0) - limit;
        if (excess <= 0) return;
        if (_options.Truncation == TruncationStrategy.LongestFirst)
        {
            (int firstLength, int secondLength) = Share(first.Count, second?.Count ?? 0, limit, second is not null);
            first.Truncate(firstLength, stride, _truncationSide);
            second?.Truncate(secondLength, stride, _truncationSide);
            return;
        }

        EncodingDraft target = _options.Truncation == TruncationStrategy.OnlyFirst
            ? first
            : second ?? throw new ArgumentException("Truncation is OnlySecond, but there is no second text.");
        if (target.Count <= excess)
            throw new ArgumentException($"Truncation is {_options.Truncation}, but that text has {target.Count} tokens and {excess} would have to be cut for MaxLength {_maxLength}.");
        target.Truncate(target.Count - excess, stride, _truncationSide);
    }

    /// <summary>Pads encodings, and their windows, to a common length.</summary>
    public void Pad(IReadOnlyList<EncodingDraft> encodings)
    {
        if (_options.Padding == PaddingStrategy.DoNotPad || encodings.Count == 0) return;
        int length = _options.Padding == PaddingStrategy.MaxLength ? _maxLength : encodings.Max(encoding => encoding.Count);
        if (_options.PadToMultipleOf is { } multiple) length = checked((length + multiple - 1) / multiple * multiple);
        foreach (EncodingDraft encoding in encodings) encoding.Pad(length, _padding, _paddingSide);
    }

    private void CheckTruncation()
    {
        int room = _maxLength - (_postProcessor?.AddedTokens(isPair: false) ?? 0);
        if (room < 0) throw TooShort(-room + _maxLength, isPair: false);
        if (room < _options.Stride)
        {
            throw new ArgumentException(
                $"Stride is {_options.Stride}, but a window has room for {room} tokens: MaxLength {_maxLength} less {_maxLength - room} that the tokenizer adds. The stride must be smaller.");
        }
    }

    private ArgumentException TooShort(int added, bool isPair) =>
        new($"MaxLength is {_maxLength}, but the tokenizer adds {added} tokens to {(isPair ? "a pair of texts" : "a text")}.");

    /// <summary>How many tokens each text keeps where both together keep a limit: the longer one is cut first, down to the length of the shorter one; then both.</summary>
    /// <param name="first">Tokens of the first text.</param>
    /// <param name="second">Tokens of the second text.</param>
    /// <param name="limit">Tokens to keep, at least 0, and fewer than there are.</param>
    /// <param name="isPair">Whether there is a second text.</param>
    internal static (int First, int Second) Share(int first, int second, int limit, bool isPair)
    {
        if (!isPair) return (limit, 0);
        (int shorter, int longer) = (Math.Min(first, second), Math.Max(first, second));
        longer = shorter > limit ? shorter : Math.Max(shorter, limit - shorter);
        if (shorter + longer > limit) (shorter, longer) = (limit / 2, (limit / 2) + (limit % 2));
        return first > second ? (longer, shorter) : (shorter, longer);
    }
}
