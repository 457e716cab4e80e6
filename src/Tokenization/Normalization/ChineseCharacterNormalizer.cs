namespace MLComponents.Tokenization;

/// <summary>The part of <c>BertNormalizer</c> that puts spaces around CJK ideographs; the spaces share their range.</summary>
internal sealed class ChineseCharacterNormalizer : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        if (!text.Characters.ContainsAnyInRange('\u3400', '\uFFFF')) return text;
        var builder = new AlignedTextBuilder(text);
        for (int index = 0; index < text.Length;)
        {
            int codePoint = CodePoints.At(text.Characters, index, out int length);
            index += length;
            if (!IsIdeograph(codePoint))
            {
                builder.Transform(codePoint, 0);
                continue;
            }

            builder.Transform(' ', 0);
            builder.Transform(codePoint, 1);
            builder.Transform(' ', 1);
        }

        return builder.Build();
    }

    private static bool IsIdeograph(int codePoint) => codePoint is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
        or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF)
        or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
