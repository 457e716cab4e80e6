namespace MLComponents.Tokenization;

/// <summary>One code point that is a number of any kind, as <c>Digits</c> looks for.</summary>
internal sealed class NumericPattern : TextPattern
{
    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start < text.Length; start = end)
        {
            int codePoint = text[start];
            int length = 1;
            if (codePoint < 0x80 ? char.IsAsciiDigit((char)codePoint) : CodePoints.IsNumeric(CodePoints.At(text, start, out length)))
            {
                end = start + length;
                return true;
            }

            end = start + length;
        }

        end = start;
        return false;
    }
}
