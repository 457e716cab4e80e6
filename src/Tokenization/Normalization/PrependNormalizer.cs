namespace MLComponents.Tokenization;

/// <summary><c>Prepend</c>: writes a text in front; it shares the range of the first character.</summary>
internal sealed class PrependNormalizer(string prefix) : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        if (prefix.Length == 0) return text;
        var builder = new AlignedTextBuilder(text);
        builder.Prefix(prefix);
        builder.CopyTo(text.Length);
        return builder.Build();
    }
}
