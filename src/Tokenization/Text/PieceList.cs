namespace MLComponents.Tokenization;

/// <summary>A growing list of ranges (UTF-16 units, end exclusive); empty ranges are never kept.</summary>
internal sealed class PieceList
{
    private int[] _bounds = new int[256];

    /// <summary>The number of ranges.</summary>
    public int Count { get; private set; }

    /// <summary>The number of bounds there is room for.</summary>
    public int Capacity => _bounds.Length;

    /// <summary>Where a range begins.</summary>
    public int Start(int index) => _bounds[2 * index];

    /// <summary>Where a range ends.</summary>
    public int End(int index) => _bounds[(2 * index) + 1];

    /// <summary>Adds a range.</summary>
    public void Add(int start, int end)
    {
        if (start == end) return;
        int at = 2 * Count;
        if (at + 1 >= _bounds.Length) Array.Resize(ref _bounds, _bounds.Length * 2);
        _bounds[at] = start;
        _bounds[at + 1] = end;
        Count++;
    }

    /// <summary>Forgets all ranges but keeps the room.</summary>
    public void Clear() => Count = 0;
}
