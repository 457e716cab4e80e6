namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>pre_tokenizer</c>: cuts the pieces of a text into smaller ones, within which the model works.</summary>
internal abstract class PreTokenizerStep
{
    /// <summary>Whether the model is given the bytes of the pieces (in the byte alphabet) instead of their characters.</summary>
    public virtual bool YieldsBytes => false;

    /// <summary>Cuts the pieces; may rewrite the text.</summary>
    public abstract void Apply(ref PreTokenizedText text);
}
