namespace MLComponents.Tokenization;

/// <summary><c>ByteLevel</c> with <c>trim_offsets</c>: offsets leave out the white space that tokens begin or end with.</summary>
internal sealed class ByteLevelPostProcessor(bool addPrefixSpace) : PostProcessor
{
    private static readonly char Space = ByteAlphabet.ToCharacter((byte)' ');

    /// <inheritdoc/>
    public override void AdjustOffsets(EncodingDraft draft, ReadOnlySpan<char> text)
    {
        for (int index = 0; index < draft.Tokens.Count; index++)
        {
            DraftToken token = draft.Tokens[index];
            int leading = 0, trailing = 0;
            while (leading < token.Text.Length && IsBlank(token.Text[leading])) leading++;
            while (trailing < token.Text.Length && IsBlank(token.Text[^(trailing + 1)])) trailing++;
            if (leading == 0 && trailing == 0) continue;

            // The invented space of the first token has no place in the text that could be left out.
            if (leading > 0 && addPrefixSpace && (index == 0 || token.Start == 0)) leading--;
            (int start, int end) = (token.Start, token.End);
            for (; leading > 0 && start < end; leading--)
            {
                CodePoints.At(text, start, out int length);
                start += length;
            }

            for (; trailing > 0 && end > start; trailing--)
            {
                CodePoints.Before(text, end, out int length);
                end -= length;
            }

            draft.Tokens[index] = token with { Start = start, End = end };
        }
    }

    private static bool IsBlank(char character) => character == Space || char.IsWhiteSpace(character);
}
