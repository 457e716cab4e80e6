namespace MLComponents.Tokenization;

/// <summary>What is encoded: a text, a pair of texts, or either of them given as words.</summary>
public readonly struct EncodeInput
{
    private EncodeInput(IReadOnlyList<string> first, IReadOnlyList<string>? second, bool isWords)
    {
        (First, Second, IsWords) = (first, second, isWords);
    }

    /// <summary>A text, or two.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text, or null.</param>
    public EncodeInput(string text, string? pair = null)
        : this([NotNull(text)], pair is null ? null : [pair], isWords: false)
    {
    }

    /// <summary>The first text, or its words.</summary>
    internal IReadOnlyList<string> First { get; }

    /// <summary>The second text, or its words.</summary>
    internal IReadOnlyList<string>? Second { get; }

    /// <summary>Whether words were given.</summary>
    internal bool IsWords { get; }

    /// <summary>A text.</summary>
    /// <param name="text">The text.</param>
    public static implicit operator EncodeInput(string text) => new(text);

    /// <summary>A pair of texts.</summary>
    /// <param name="pair">The texts.</param>
    public static implicit operator EncodeInput((string Text, string Pair) pair) => new(pair.Text, NotNull(pair.Pair));

    /// <summary>
    /// A text, or two, that was cut into words already (<c>is_split_into_words</c>): every word goes through the tokenizer by itself,
    /// word ids count words, and offsets are those within the word.
    /// </summary>
    /// <param name="words">The words.</param>
    /// <param name="pairWords">The words of the second text, or null.</param>
    public static EncodeInput FromWords(IEnumerable<string> words, IEnumerable<string>? pairWords = null)
    {
        ArgumentNullException.ThrowIfNull(words);
        return new EncodeInput([.. words.Select(NotNull)], pairWords is null ? null : [.. pairWords.Select(NotNull)], isWords: true);
    }

    private static string NotNull(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text;
    }
}
