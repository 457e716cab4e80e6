namespace MLComponents.Tokenization;

/// <summary>Counts the pieces that Qwen2's pattern cuts texts into.</summary>
internal sealed class WordCounter
{
    private readonly TextNormalizer _normalizer = UnicodeNormalizer.Get(composes: true, compatible: false);
    private readonly PublishedPattern _pattern = PublishedPattern.TryGet(PublishedPattern.Qwen2)!;
    private readonly AddedTokenMatcher _specialTokens;
    private readonly PieceList _pieces = new();
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <summary>A counter that leaves some texts out.</summary>
    public WordCounter(IEnumerable<string> specialTokens)
    {
        _specialTokens = new AddedTokenMatcher(specialTokens.Select(text => (text, new AddedToken(0, text, false, false, false, false, true))));
        _lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>How often each piece occurred.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Counts the pieces of a text.</summary>
    public void Add(string text)
    {
        ReadOnlySpan<char> characters = CodePoints.WellFormed(text);
        int covered = 0;
        while (_specialTokens.TryFind(characters, covered, covered, splitSpecial: false, out AddedTokenMatch match))
        {
            AddSegment(characters[covered..match.Start]);
            covered = match.End;
        }

        AddSegment(characters[covered..]);
    }

    private void AddSegment(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> normalized = _normalizer.Normalize(new AlignedText(text, 0, tracked: false)).Characters;
        _pieces.Clear();
        _pattern.Split(normalized, 0, _pieces);
        for (int piece = 0; piece < _pieces.Count; piece++)
        {
            ReadOnlySpan<char> word = normalized[_pieces.Start(piece).._pieces.End(piece)];
            _lookup[word] = _lookup.TryGetValue(word, out long count) ? count + 1 : 1;
        }

        Workspace.Rented.ReturnTexts();
    }
}
