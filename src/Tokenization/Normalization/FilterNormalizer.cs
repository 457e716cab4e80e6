namespace MLComponents.Tokenization;

/// <summary>Drops code points and maps others to one each: <c>StripAccents</c>, <c>Nmt</c>, parts of <c>BertNormalizer</c>.</summary>
/// <param name="rule">What a code point becomes; negative to drop it.</param>
internal sealed class FilterNormalizer(Func<int, int> rule) : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        ReadOnlySpan<char> characters = text.Characters;
        int unchanged = FirstChange(characters);
        if (unchanged == characters.Length) return text;
        var builder = new AlignedTextBuilder(text);
        builder.CopyTo(unchanged);
        for (int index = unchanged; index < characters.Length;)
        {
            int becomes = rule(CodePoints.At(characters, index, out int length));
            index += length;
            if (becomes < 0) builder.SkipTo(index);
            else builder.Transform(becomes, 0);
        }

        return builder.Build();
    }

    private int FirstChange(ReadOnlySpan<char> text)
    {
        int index = 0;
        while (index < text.Length)
        {
            int codePoint = CodePoints.At(text, index, out int length);
            if (rule(codePoint) != codePoint) break;
            index += length;
        }

        return index;
    }
}
