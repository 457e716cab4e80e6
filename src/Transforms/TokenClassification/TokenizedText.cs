namespace MLComponents.Transforms;

/// <summary>A text whose words are to be labelled: the words are given, or found in the text.</summary>
/// <param name="Text">The text; of given words, the words with a space between each two.</param>
/// <param name="Words">Where the words are in it, in UTF-16 code units.</param>
internal sealed record TokenizedText(string Text, IReadOnlyList<(int Start, int End)> Words)
{
    /// <summary>A text, whose words are found by <see cref="WordSplitter"/>.</summary>
    public static TokenizedText Of(ReadOnlyMemory<char> text) => new(text.ToString(), WordSplitter.Split(text.Span));

    /// <summary>Given words.</summary>
    public static TokenizedText Of(ReadOnlySpan<ReadOnlyMemory<char>> words)
    {
        var text = new System.Text.StringBuilder();
        var places = new (int Start, int End)[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (i > 0) text.Append(' ');
            int start = text.Length;
            text.Append(words[i].Span);
            places[i] = (start, text.Length);
        }

        return new(text.ToString(), places);
    }
}
