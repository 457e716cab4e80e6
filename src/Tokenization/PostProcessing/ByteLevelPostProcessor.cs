namespace MLComponents.Tokenization;

/// <summary><c>ByteLevel</c>: with <c>trim_offsets</c>, offsets leave out the white space that tokens begin or end with.</summary>
internal sealed class ByteLevelPostProcessor(bool addPrefixSpace, bool trimOffsets) : PostProcessor
{
    private static readonly char Space = ByteAlphabet.ToCharacter((byte)' ');

    /// <inheritdoc/>
    public override IReadOnlyList<EncodingDraft> Process(IReadOnlyList<EncodingDraft> parts, bool addSpecialTokens, IReadOnlyList<string> sources)
    {
        if (trimOffsets) Trim(parts, sources, addPrefixSpace);
        return parts;
    }

    /// <summary>Trims the offsets of encodings and their windows.</summary>
    public static void Trim(IEnumerable<EncodingDraft> parts, IReadOnlyList<string> sources, bool addPrefixSpace)
    {
        foreach (EncodingDraft part in parts)
        {
            for (int index = 0; index < part.Count; index++) part.Tokens[index] = Trim(part.Tokens[index], index == 0, sources, addPrefixSpace);
            Trim(part.Overflowing, sources, addPrefixSpace);
        }
    }

    private static DraftToken Trim(DraftToken token, bool isFirst, IReadOnlyList<string> sources, bool addPrefixSpace)
    {
        if (token.Text.Length == 0 || (!IsBlank(token.Text[0]) && !IsBlank(token.Text[^1])) || token.Source < 0) return token;
        int leading = 0, trailing = 0;
        while (leading < token.Text.Length && IsBlank(token.Text[leading])) leading++;
        while (trailing < token.Text.Length && IsBlank(token.Text[^(trailing + 1)])) trailing++;

        // The invented space of the first token has no place in the text that could be left out.
        if (leading == 1 && addPrefixSpace && (isFirst || token.Start == 0)) leading = 0;
        string text = sources[token.Source];
        (int start, int end) = (token.Start, token.End);
        for (; leading > 0 && start < end; leading--)
        {
            CodePoints.At(text, start, out int length);
            start += length;
        }

        if (trailing > end && CodePoints.Count(text.AsSpan(0, end)) < trailing) trailing = 0; // more than there is before the end
        for (; trailing > 0 && end > start; trailing--)
        {
            CodePoints.Before(text, end, out int length);
            end -= length;
        }

        return token with { Start = start, End = end };
    }

    private static bool IsBlank(char character) => character == Space || char.IsWhiteSpace(character);
}
