namespace MLComponents.Tokenization;

/// <summary>Tokens by id and ids by token, as the model's <c>vocab</c> lists them.</summary>
internal sealed class Vocabulary
{
    /// <summary>Ids from here on are taken for a mistake rather than given room.</summary>
    public const int IdLimit = 1 << 22;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<string?> _tokens;

    /// <summary>An empty vocabulary with room for some tokens.</summary>
    public Vocabulary(int capacity)
    {
        _ids = new Dictionary<string, int>(capacity, StringComparer.Ordinal);
        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = new List<string?>(capacity);
    }

    /// <summary>The largest id + 1.</summary>
    public int Size => _tokens.Count;

    /// <summary>The number of tokens.</summary>
    public int Count => _ids.Count;

    /// <summary>The token with an id, or null.</summary>
    public string? this[int id] => (uint)id < (uint)_tokens.Count ? _tokens[id] : null;

    /// <summary>Adds a token.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public string? TryAdd(string token, int id)
    {
        if (id is < 0 or >= IdLimit) return $"has the id {id}; ids lie between 0 and {IdLimit - 1}";
        while (_tokens.Count <= id) _tokens.Add(null);
        if (_tokens[id] is { } other) return $"has the id {id}, which '{other}' has already";
        if (!_ids.TryAdd(token, id)) return $"is listed twice (ids {_ids[token]} and {id})";
        _tokens[id] = token;
        return null;
    }

    /// <summary>Adds a token with the next id; a token that was there already is looked up with its new id from now on.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public string? AddNext(string token)
    {
        if (_tokens.Count >= IdLimit) return $"there are more than {IdLimit} tokens";
        _ids[token] = _tokens.Count;
        _tokens.Add(token);
        return null;
    }

    /// <summary>The id of a token.</summary>
    public bool TryGetId(ReadOnlySpan<char> token, out int id) => _lookup.TryGetValue(token, out id);

    /// <summary>The length in UTF-8 of every token by id; 0 where there is none.</summary>
    public ushort[] Utf8Lengths()
    {
        var lengths = new ushort[_tokens.Count];
        for (int id = 0; id < lengths.Length; id++)
            if (_tokens[id] is { } token) lengths[id] = (ushort)Math.Min(ushort.MaxValue, System.Text.Encoding.UTF8.GetByteCount(token));
        return lengths;
    }
}
