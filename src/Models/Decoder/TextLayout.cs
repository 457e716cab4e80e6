namespace MLComponents.Models;

/// <summary>
/// How the texts of a batch lie behind each other: in groups of rows of one width. To attention a group is a batch of its own; all else, which works on each token by
/// itself, reads every group at once. Texts shorter than their group are padded on the right, so groups of texts of one length have no padding.
/// </summary>
internal sealed class TextLayout
{
    private readonly int[] _starts;

    /// <summary>Lays texts out.</summary>
    /// <param name="lengths">Tokens of each text, at least 1.</param>
    /// <param name="groups">The texts of each group, by their places in the batch; every text is in one group.</param>
    public TextLayout(IReadOnlyList<int> lengths, IReadOnlyList<int[]> groups)
    {
        (Lengths, _starts) = (lengths, new int[lengths.Count]);
        Order = [.. groups.SelectMany(texts => texts)];
        Groups = [.. groups.Select(texts => new TextGroup(texts.Length, texts.Max(text => lengths[text])))];
        for (int group = 0; group < groups.Count; group++)
        {
            foreach (int text in groups[group])
            {
                _starts[text] = Tokens;
                Tokens += Groups[group].Width;
            }
        }
    }

    /// <summary>The groups, in their order.</summary>
    public IReadOnlyList<TextGroup> Groups { get; }

    /// <summary>Tokens of all groups, padding included.</summary>
    public int Tokens { get; }

    /// <summary>Tokens of each text, by its place in the batch.</summary>
    public IReadOnlyList<int> Lengths { get; }

    /// <summary>The places in the batch of the texts, as they lie.</summary>
    public IReadOnlyList<int> Order { get; }

    /// <summary>Tokens of the widest group.</summary>
    public int Width => Groups.Max(group => group.Width);

    /// <summary>All texts in one group.</summary>
    public static TextLayout Padded(IReadOnlyList<int> lengths) => new(lengths, [[.. Enumerable.Range(0, lengths.Count)]]);

    /// <summary>Where among all tokens a text begins.</summary>
    public int StartOf(int text) => _starts[text];
}
