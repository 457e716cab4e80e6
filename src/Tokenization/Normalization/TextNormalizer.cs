namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>normalizer</c>: rewrites text and keeps its alignment with the original.</summary>
internal abstract class TextNormalizer
{
    /// <summary>The normalized text; the argument itself where nothing changes. The text is not empty.</summary>
    public abstract AlignedText Normalize(AlignedText text);

    /// <summary>The normalized form of a text whose origin does not matter.</summary>
    public string Normalize(string text) => text.Length == 0 ? text : Normalize(new AlignedText(text, 0, tracked: false)).Characters.ToString();
}
