namespace MLComponents.Tokenization;

/// <summary><c>{"String": ...}</c>: the text itself.</summary>
internal sealed class LiteralPattern(string literal) : TextPattern
{
    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        int index = literal.Length == 0 ? -1 : text[from..].IndexOf(literal, StringComparison.Ordinal);
        start = from + index;
        end = start + literal.Length;
        return index >= 0;
    }
}
