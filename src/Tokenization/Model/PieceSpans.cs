namespace MLComponents.Tokenization;

/// <summary>The ranges that tokens cover in a piece; unlike pieces they may be empty.</summary>
internal sealed class PieceSpans
{
    private readonly List<(int Start, int End)> _spans = [];

    /// <summary>The number of ranges.</summary>
    public int Count => _spans.Count;

    /// <summary>The range of a token.</summary>
    public (int Start, int End) this[int index] => _spans[index];

    /// <summary>Adds a range.</summary>
    public void Add(int start, int end) => _spans.Add((start, end));

    /// <summary>Forgets all ranges from the given number on.</summary>
    public void Truncate(int count) => _spans.RemoveRange(count, _spans.Count - count);

    /// <summary>Forgets all ranges but keeps the room.</summary>
    public void Clear() => _spans.Clear();
}
