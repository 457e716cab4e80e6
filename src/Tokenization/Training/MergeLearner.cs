namespace MLComponents.Tokenization;

/// <summary>
/// Byte-pair encoding, the learning: merges the most frequent pair of neighbouring tokens, again and again. Counts are kept up to date
/// word by word, so that a merge costs what it changes. Among equally frequent pairs the one of smaller ids comes first.
/// </summary>
internal sealed class MergeLearner
{
    private readonly int _minimumCount;
    private readonly List<int[]> _words = []; // the tokens of every different word
    private readonly List<long> _wordCounts = [];
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, int Left, int Right)> _queue = new();
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<(int Left, int Right)> _changed = [];

    /// <summary>Takes the words with how often each occurs.</summary>
    public MergeLearner(IReadOnlyDictionary<string, long> words, int minimumCount)
    {
        _minimumCount = minimumCount;
        var byteIds = new int[256];
        foreach ((char character, int value) in Enumerable.Range(0, 256).Select(value => (ByteAlphabet.ToCharacter((byte)value), value)).Order())
            byteIds[value] = AddToken(character.ToString());

        // In a fixed order, so that what is learnt does not depend on the order of a hash table.
        foreach ((string word, long count) in words.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            int[] symbols = Array.ConvertAll(System.Text.Encoding.UTF8.GetBytes(word), value => byteIds[value]);
            if (symbols.Length < 2) continue;
            for (int index = 0; index + 1 < symbols.Length; index++) Count((symbols[index], symbols[index + 1]), count, _words.Count);
            _words.Add(symbols);
            _wordCounts.Add(count);
        }
    }

    /// <summary>The tokens by id, in the byte alphabet.</summary>
    public List<string> Tokens { get; } = [];

    /// <summary>The merges in the order they were learnt.</summary>
    public List<(string Left, string Right)> Merges { get; } = [];

    /// <summary>Learns until there are so many tokens, or no pair is left.</summary>
    public void Learn(int tokens, CancellationToken cancellationToken)
    {
        Publish();
        while (Tokens.Count < tokens && _queue.TryDequeue(out (int Left, int Right) best, out (long Count, int Left, int Right) priority))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Pair pair = _pairs[best];
            if (pair.Count != -priority.Count) continue; // an old entry; the present count has one of its own
            if (pair.Count < _minimumCount) break;
            int merged = AddToken(Tokens[best.Left] + Tokens[best.Right]);
            Merges.Add((Tokens[best.Left], Tokens[best.Right]));
            foreach (int word in pair.Words.Order()) MergeIn(word, best, merged);
            Publish();
        }
    }

    private int AddToken(string token)
    {
        if (_ids.TryGetValue(token, out int id)) return id; // two merges may spell the same token
        _ids[token] = Tokens.Count;
        Tokens.Add(token);
        return Tokens.Count - 1;
    }

    private void Count((int Left, int Right) pair, long change, int word)
    {
        if (!_pairs.TryGetValue(pair, out Pair? entry)) _pairs[pair] = entry = new Pair();
        entry.Count += change;
        if (change > 0) entry.Words.Add(word);
        _changed.Add(pair);
    }

    // Queues the present count of all pairs that changed.
    private void Publish()
    {
        foreach ((int Left, int Right) pair in _changed)
            if (_pairs[pair].Count > 0) _queue.Enqueue(pair, (-_pairs[pair].Count, pair.Left, pair.Right));
        _changed.Clear();
    }

    private void MergeIn(int word, (int Left, int Right) pair, int merged)
    {
        int[] symbols = _words[word];
        long count = _wordCounts[word];
        var result = new List<int>(symbols.Length);
        for (int index = 0; index < symbols.Length; index++)
        {
            bool here = index + 1 < symbols.Length && symbols[index] == pair.Left && symbols[index + 1] == pair.Right;
            result.Add(here ? merged : symbols[index]);
            if (here) index++;
        }

        if (result.Count == symbols.Length) return; // the word lost the pair to an earlier merge
        for (int index = 0; index + 1 < symbols.Length; index++) Count((symbols[index], symbols[index + 1]), -count, word);
        _words[word] = [.. result];
        for (int index = 0; index + 1 < result.Count; index++) Count((result[index], result[index + 1]), count, word);
    }

    private sealed class Pair
    {
        public long Count;
        public readonly HashSet<int> Words = [];
    }
}
