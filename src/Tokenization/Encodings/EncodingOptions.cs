namespace MLComponents.Tokenization;

/// <summary>How texts are encoded; names and defaults are those of Hugging Face.</summary>
public sealed class EncodingOptions
{
    /// <summary>Whether the tokens that the tokenizer puts around every text are added.</summary>
    public bool AddSpecialTokens { get; set; } = true;

    /// <summary>Which text is cut where there are more than <see cref="MaxLength"/> tokens.</summary>
    public TruncationStrategy Truncation { get; set; } = TruncationStrategy.DoNotTruncate;

    /// <summary>
    /// The most tokens of an encoding, added ones included; at least 1. Null for the tokenizer's
    /// <see cref="PretrainedTokenizer.ModelMaxLength"/>.
    /// </summary>
    public int? MaxLength { get; set; }

    /// <summary>How many tokens a window shares with the one before it (<see cref="Encoding.Overflowing"/>); at least 0.</summary>
    public int Stride { get; set; }

    /// <summary>The side that is cut; null for what the tokenizer's configuration says.</summary>
    public SequenceSide? TruncationSide { get; set; }

    /// <summary>To which length encodings are padded.</summary>
    public PaddingStrategy Padding { get; set; } = PaddingStrategy.DoNotPad;

    /// <summary>The side that is padded; null for what the tokenizer's configuration says.</summary>
    public SequenceSide? PaddingSide { get; set; }

    /// <summary>Lengths are padded to a multiple of this; at least 1. Null for any length.</summary>
    public int? PadToMultipleOf { get; set; }

    /// <summary>The token that pads; null for the tokenizer's <see cref="PretrainedTokenizer.PadTokenId"/>.</summary>
    public int? PadTokenId { get; set; }

    /// <summary>The segment of padding.</summary>
    public int PadTypeId { get; set; }

    /// <summary>Whether special tokens written in a text are encoded like any other text.</summary>
    public bool SplitSpecialTokens { get; set; }

    internal EncodingOptions WithoutSpecialTokens()
    {
        var copy = (EncodingOptions)MemberwiseClone();
        copy.AddSpecialTokens = false;
        return copy;
    }
}
