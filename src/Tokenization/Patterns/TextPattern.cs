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

    /// <summary>Cuts a text at all matches: adds these and the gaps between them.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="offset">What is added to all bounds.</param>
    /// <param name="pieces">Where they go.</param>
    public virtual void Split(ReadOnlySpan<char> text, int offset, PieceList pieces)
    {
        int covered = 0;
        var matches = new PatternMatches(this);
        while (matches.Next(text, out int start, out int end))
        {
            pieces.Add(offset + covered, offset + start);
            pieces.Add(offset + start, offset + end);
            covered = end;
        }

        pieces.Add(offset + covered, offset + text.Length);
    }

    /// <summary>The pattern that a tokenizer.json writes as <c>{"Regex": ...}</c>: a hand-written matcher where the text is a well-known one.</summary>
    public static TextPattern FromRegex(string pattern) =>
        PublishedPattern.TryGet(pattern) ?? (TextPattern)new CodePointRegex(pattern);
}
