namespace MLComponents.Tokenization;

/// <summary>Which parts of the pipeline a text goes through, besides the model and the added tokens.</summary>
[Flags]
internal enum EncodeSteps
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>The normalizer.</summary>
    Normalization = 1,

    /// <summary>The pre-tokenizer.</summary>
    PreTokenization = 2,

    /// <summary>The special tokens of the post-processor.</summary>
    SpecialTokens = 4,

    /// <summary>Special tokens written in the text are ordinary text. Not a part, but a way to go through them.</summary>
    SplitSpecialTokens = 8,

    /// <summary>The whole pipeline.</summary>
    All = Normalization | PreTokenization | SpecialTokens,
}
