namespace MLComponents.Tokenization;

/// <summary><c>Replace</c>: writes a text in the place of every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        ReadOnlySpan<char> characters = text.Characters;
        var matches = new PatternMatches(pattern);
        if (!matches.Next(characters, out int start, out int end)) return text;
        var builder = new AlignedTextBuilder(text);
        do
        {
            builder.CopyTo(start);
            builder.SkipTo(end);

            // What is written belongs to the last character that it replaces.
            for (int index = 0; index < content.Length;)
            {
                builder.Transform(CodePoints.At(content, index, out int length), 1);
                index += length;
            }
        }
        while (matches.Next(characters, out start, out end));

        builder.CopyTo(text.Length);
        return builder.Build();
    }
}
