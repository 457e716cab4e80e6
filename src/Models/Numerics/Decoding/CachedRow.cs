namespace MLComponents.Models;

/// <summary>The tokens that a row has read, and the pages with their keys and values.</summary>
internal sealed class CachedRow : IDisposable
{
    private readonly CachePages _pages;
    private nint[] _held = new nint[8];
    private int _count;

    /// <summary>A row that has read nothing.</summary>
    public CachedRow(CachePages pages)
        : this(pages, new RowTokens([]))
    {
    }

    private CachedRow(CachePages pages, RowTokens tokens) => (_pages, Tokens) = (pages, tokens);

    /// <summary>Frees what was not disposed.</summary>
    ~CachedRow() => ReleaseFrom(0);

    /// <summary>The tokens.</summary>
    public RowTokens Tokens { get; }

    /// <summary>The pages, one for each <see cref="CachePages.Tokens"/> tokens.</summary>
    public ReadOnlySpan<nint> Pages => _held.AsSpan(0, _count);

    /// <summary>Adds tokens and sees to it that their keys and values can be written.</summary>
    public void Extend(ReadOnlySpan<int> tokens)
    {
        int last = Tokens.Count / CachePages.Tokens;
        Tokens.Add(tokens);
        if (last < _count) _held[last] = _pages.Own(_held[last]);
        int needed = (Tokens.Count + CachePages.Tokens - 1) / CachePages.Tokens;
        if (needed > _held.Length) Array.Resize(ref _held, Math.Max(needed, 2 * _held.Length));
        for (; _count < needed; _count++) _held[_count] = _pages.New();
    }

    /// <summary>Forgets the last tokens.</summary>
    public void Forget(int count)
    {
        Tokens.RemoveLast(count);
        ReleaseFrom((Tokens.Count + CachePages.Tokens - 1) / CachePages.Tokens);
    }

    /// <summary>A row that has read the same.</summary>
    public CachedRow Copy()
    {
        var copy = new CachedRow(_pages, Tokens.Clone()) { _held = [.. _held], _count = _count };
        foreach (nint page in Pages) CachePages.Share(page);
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseFrom(0);
        GC.SuppressFinalize(this);
    }

    private void ReleaseFrom(int page)
    {
        while (_count > page) CachePages.Release(_held[--_count]);
    }
}
