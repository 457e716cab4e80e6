namespace MLComponents.Transforms;

/// <summary>A run of tokens, or of characters, with one entity.</summary>
/// <param name="Type">What it is, without the tag's prefix.</param>
/// <param name="Start">Its first token or character, from 0.</param>
/// <param name="Length">How many they are, at least 1.</param>
internal readonly record struct TagSpan(string Type, int Start, int Length);

/// <summary>Entities from tags, as seqeval's <c>get_entities</c> finds them: whatever of IOB1, IOB2, IOE1, IOE2 and IOBES they follow, mixed or broken.</summary>
internal sealed class TagSpans
{
    /// <summary>The tag of tokens that belong to no entity.</summary>
    public const string Outside = "O";

    private readonly (char Prefix, string Type)[] _tags;

    /// <summary>Reads the tags that there are.</summary>
    /// <param name="tags">
    /// The tags: "O", and entity types with the prefixes B-, I-, E-, S- (L- and U- count as E- and S-, M- as I-). Where a tag has no such prefix all tags are taken as
    /// types without prefixes, and a run of one type is one entity.
    /// </param>
    public TagSpans(IReadOnlyList<string> tags)
    {
        bool prefixed = tags.All(tag => tag == Outside || (tag.Length > 2 && tag[1] == '-' && "BIESLUM".Contains(tag[0], StringComparison.Ordinal)));
        _tags = [.. tags.Select(tag => tag == Outside ? ('O', "") : prefixed ? (Normal(tag[0]), tag[2..]) : ('I', tag))];
    }

    /// <summary>Finds the entities.</summary>
    /// <param name="tags">Per token the index of its tag; an index outside of the tags, as -1, counts as "O".</param>
    public List<TagSpan> Find(ReadOnlySpan<int> tags)
    {
        var spans = new List<TagSpan>();
        (char Prefix, string Type) previous = ('O', "");
        int start = 0;
        for (int i = 0; i <= tags.Length; i++)
        {
            (char Prefix, string Type) tag = i < tags.Length && tags[i] >= 0 && tags[i] < _tags.Length ? _tags[tags[i]] : ('O', "");
            if (Ends(previous, tag)) spans.Add(new TagSpan(previous.Type, start, i - start));
            if (Starts(previous, tag)) start = i;
            previous = tag;
        }

        return spans;
    }

    private static bool Ends((char Prefix, string Type) previous, (char Prefix, string Type) tag) => previous.Prefix switch
    {
        'O' => false,
        'E' or 'S' => true,
        _ => tag.Prefix is 'B' or 'S' or 'O' || previous.Type != tag.Type,
    };

    private static bool Starts((char Prefix, string Type) previous, (char Prefix, string Type) tag) => tag.Prefix switch
    {
        'O' => false,
        'B' or 'S' => true,
        _ => previous.Prefix is 'E' or 'S' or 'O' || previous.Type != tag.Type,
    };

    private static char Normal(char prefix) => prefix switch { 'L' => 'E', 'U' => 'S', 'M' => 'I', _ => prefix };
}
