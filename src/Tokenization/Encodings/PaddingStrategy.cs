namespace MLComponents.Tokenization;

/// <summary>To which length encodings are padded.</summary>
public enum PaddingStrategy
{
    /// <summary>They are not padded (<c>do_not_pad</c>).</summary>
    DoNotPad,

    /// <summary>That of the longest of the batch (<c>longest</c>).</summary>
    Longest,

    /// <summary><see cref="EncodingOptions.MaxLength"/> (<c>max_length</c>).</summary>
    MaxLength,
}
