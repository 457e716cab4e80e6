namespace MLComponents.Models;

/// <summary>A growing list of token ids that can be read as a span.</summary>
internal sealed class RowTokens
{
    private int[] _ids;

    public RowTokens(ReadOnlySpan<int> ids, int capacity = 0)
    {
        _ids = new int[Math.Max(Math.Max(ids.Length, capacity), 16)];
        ids.CopyTo(_ids);
        Count = ids.Length;
    }

    public int Count { get; private set; }

    public ReadOnlySpan<int> Span => _ids.AsSpan(0, Count);

    public void Add(int id)
    {
        if (Count == _ids.Length) Array.Resize(ref _ids, 2 * Count);
        _ids[Count++] = id;
    }

    public void Add(ReadOnlySpan<int> ids)
    {
        foreach (int id in ids) Add(id);
    }

    public void RemoveLast(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count -= count;
    }

    public RowTokens Clone() => new(Span, _ids.Length);
}
