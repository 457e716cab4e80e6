namespace MLComponents.Tokenization;

/// <summary>A step of tokenizer.json's <c>normalizer</c>: rewrites text and keeps its alignment with the original.</summary>
internal abstract class TextNormalizer
{
    /// <summary>The normalized text; the argument itself where nothing changes. The text is not empty.</summary>
    public abstract AlignedText Normalize(AlignedText text);

    /// <summary>The normalized form of a text whose origin does not matter. Not while a text is on its way through a pipeline.</summary>
    public string Normalize(string text)
    {
        if (text.Length == 0) return text;
        string normalized = Normalize(new AlignedText(text, 0, tracked: false)).Characters.ToString();
        Workspace.Rented.ReturnTexts();
        return normalized;
    }
}
