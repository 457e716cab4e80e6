namespace MLComponents.Tokenization;

/// <summary><c>\w+|[^\w\s]+</c>, as <c>Whitespace</c> looks for: runs of word characters, runs of what is neither word nor white space.</summary>
internal sealed class WordPattern : TextPattern
{
    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        start = from;
        while (start < text.Length && char.IsWhiteSpace(text[start])) start++;
        end = start;
        if (start == text.Length) return false;
        bool isWord = IsWord(text, start, out int length);
        for (end = start + length; end < text.Length && !char.IsWhiteSpace(text[end]) && IsWord(text, end, out length) == isWord;) end += length;
        return true;
    }

    private static bool IsWord(ReadOnlySpan<char> text, int index, out int length) => CodePoints.IsWordCharacter(CodePoints.At(text, index, out length));
}
