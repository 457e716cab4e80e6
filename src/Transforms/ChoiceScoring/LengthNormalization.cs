namespace MLComponents.Transforms;

/// <summary>What the log-likelihood of a choice is divided by, so that choices of different lengths can be compared.</summary>
public enum LengthNormalization
{
    /// <summary>Nothing: the probability that the model writes the choice.</summary>
    None = 0,

    /// <summary>The number of its tokens: the mean log-likelihood of a token.</summary>
    Tokens = 1,

    /// <summary>The number of its UTF-8 bytes, which does not depend on the tokenizer.</summary>
    Bytes = 2,
}
