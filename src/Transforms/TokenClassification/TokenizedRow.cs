namespace MLComponents.Transforms;

/// <summary>A text as the model reads it, in one window or several, and where each word is read off.</summary>
/// <param name="Text">The text and its words.</param>
/// <param name="Windows">The windows; none for a text without words.</param>
/// <param name="ReadOff">Per word the window, and the position in it, of its last token: the first that has read all of the word.</param>
internal sealed record TokenizedRow(TokenizedText Text, TokenWindow[] Windows, (int Window, int Position)[] ReadOff) : IEncodedRow
{
    public IReadOnlyList<int[]> Sequences { get; } = [.. Windows.Select(window => window.Ids)];

    /// <summary>Never: what does not fit one window is read in several.</summary>
    public bool Truncated => false;
}
