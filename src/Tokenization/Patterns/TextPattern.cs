namespace MLComponents.Tokenization;

/// <summary>Finds pieces of text. Implementations are thread-safe.</summary>
internal abstract class TextPattern
{
    /// <summary>Finds the first match that begins at <paramref name="from"/> or later.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="from">Where the search begins; what stands before is visible to look-behind and anchors.</param>
    /// <param name="start">Where the match begins.</param>
    /// <param name="end">Where it ends; equal to <paramref name="start"/> for an empty match.</param>
    /// <returns>Whether there is one.</returns>
    public abstract bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end);

    /// <summary>The pattern that a tokenizer.json writes as <c>{"Regex": ...}</c>: a hand-written matcher where the text is a well-known one.</summary>
    public static TextPattern FromRegex(string pattern) =>
        PublishedPattern.TryGet(pattern) ?? (TextPattern)new CodePointRegex(pattern);
}
