namespace MLComponents.Tokenization;

/// <summary>A growing list of token ids.</summary>
internal sealed class IdBuffer
{
    private int[] _ids = new int[256];

    /// <summary>The number of ids.</summary>
    public int Count { get; private set; }

    /// <summary>The number of ids there is room for.</summary>
    public int Capacity => _ids.Length;

    /// <summary>The ids.</summary>
    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>Adds one id.</summary>
    public void Add(int id)
    {
        if (Count == _ids.Length) Array.Resize(ref _ids, _ids.Length * 2);
        _ids[Count++] = id;
    }

    /// <summary>Adds ids.</summary>
    public void Add(ReadOnlySpan<int> ids)
    {
        if (Count + ids.Length > _ids.Length) Array.Resize(ref _ids, Math.Max(_ids.Length * 2, Count + ids.Length));
        ids.CopyTo(_ids.AsSpan(Count));
        Count += ids.Length;
    }

    /// <summary>Room for more ids behind the present ones, which count once <see cref="Truncate"/> says so.</summary>
    public Span<int> Reserve(int more)
    {
        if (Count + more > _ids.Length) Array.Resize(ref _ids, Math.Max(_ids.Length * 2, Count + more));
        return _ids.AsSpan(Count, more);
    }

    /// <summary>Forgets all ids from the given number on, or counts those that were written to what was reserved.</summary>
    public void Truncate(int count) => Count = count;

    /// <summary>Forgets all ids but keeps the room.</summary>
    public void Clear() => Count = 0;
}
