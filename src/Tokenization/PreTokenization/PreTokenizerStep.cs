namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>pre_tokenizer</c>: cuts the pieces of a text into smaller ones, within which the model works.</summary>
internal abstract class PreTokenizerStep
{
    /// <summary>Whether the step asks where in the original text something stands, so that the ranges must be kept for it.</summary>
    public virtual bool AsksForOrigins => false;

    /// <summary>
    /// The same step without its last act, writing the pieces in the byte alphabet, for a model that takes the bytes as they are; null
    /// where that is not its last act.
    /// </summary>
    public virtual PreTokenizerStep? LeavingBytes() => null;

    /// <summary>Cuts the pieces; may rewrite the text.</summary>
    public abstract void Apply(ref PreTokenizedText text);
}
