namespace MLComponents.Tokenization;

/// <summary>One code point that a rule holds for.</summary>
internal sealed class CharacterPattern(CodePointSet members) : TextPattern
{
    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start < text.Length; start = end)
        {
            bool found = members.Contains(CodePoints.At(text, start, out int length));
            end = start + length;
            if (found) return true;
        }

        end = start;
        return false;
    }
}
