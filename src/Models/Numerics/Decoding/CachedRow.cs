namespace MLComponents.Models;

/// <summary>The tokens that a row has read, and the pages with their keys and values.</summary>
internal sealed class CachedRow : IDisposable
{
    private readonly CacheLayout _layout;
    private readonly PageList[] _lists;

    /// <summary>A row that has read nothing.</summary>
    public CachedRow(CacheLayout layout)
        : this(layout, new RowTokens([]), [.. layout.Kinds.Select(static _ => new PageList([], 0, 0))])
    {
    }

    private CachedRow(CacheLayout layout, RowTokens tokens, PageList[] lists) => (_layout, Tokens, _lists) = (layout, tokens, lists);

    /// <summary>Frees what was not disposed.</summary>
    ~CachedRow() => ReleaseFrom(0);

    /// <summary>The tokens.</summary>
    public RowTokens Tokens { get; }

    /// <summary>The pages of a kind, one for each <see cref="CachePages.Tokens"/> tokens that there is room for; 0 where they have been let go of.</summary>
    public ReadOnlySpan<nint> PagesOf(int kind) => _lists[kind].Pages.AsSpan(0, _lists[kind].Count);

    /// <summary>Adds tokens. What was cached may be written behind: pages that other rows have, too, are copied.</summary>
    public void Extend(ReadOnlySpan<int> tokens)
    {
        int last = Tokens.Count / CachePages.Tokens;
        Tokens.Add(tokens);
        for (int kind = 0; kind < _lists.Length; kind++)
        {
            PageList list = _lists[kind];
            if (last < list.Count) list.Pages[last] = _layout.Kinds[kind].Own(list.Pages[last]);
        }
    }

    /// <summary>Sees to it that the keys and values of tokens can be written.</summary>
    /// <param name="end">The token to stop before.</param>
    public void MakeRoom(int end)
    {
        int needed = (end + CachePages.Tokens - 1) / CachePages.Tokens;
        for (int kind = 0; kind < _lists.Length; kind++)
        {
            ref PageList list = ref _lists[kind];
            if (needed <= list.Count) continue;
            if (needed > list.Pages.Length) Array.Resize(ref list.Pages, Math.Max(needed, 2 * list.Pages.Length));
            for (; list.Count < needed; list.Count++) list.Pages[list.Count] = list.Count < list.First ? 0 : _layout.Kinds[kind].New();
        }
    }

    /// <summary>Lets go of what no later token sees.</summary>
    /// <param name="next">The place of the next token.</param>
    public void LetGoBehind(int next)
    {
        for (int kind = 0; kind < _lists.Length; kind++)
        {
            if (_layout.Kinds[kind].Window is not { } window) continue;
            ref PageList list = ref _lists[kind];
            for (int first = Math.Max(0, next + 1 - window) / CachePages.Tokens; list.First < first; list.First++)
            {
                if (list.First >= list.Count) continue;
                CachePages.Release(list.Pages[list.First]);
                list.Pages[list.First] = 0;
            }
        }
    }

    /// <summary>Forgets the last tokens: all of them, or of a row that has let go of nothing.</summary>
    public void Forget(int count)
    {
        Tokens.RemoveLast(count);
        ReleaseFrom((Tokens.Count + CachePages.Tokens - 1) / CachePages.Tokens);
    }

    /// <summary>A row that has read the same.</summary>
    public CachedRow Copy()
    {
        foreach (PageList list in _lists)
            for (int page = list.First; page < list.Count; page++) CachePages.Share(list.Pages[page]);
        return new CachedRow(_layout, Tokens.Clone(), Array.ConvertAll(_lists, static list => list with { Pages = [.. list.Pages] }));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseFrom(0);
        GC.SuppressFinalize(this);
    }

    private void ReleaseFrom(int page)
    {
        for (int kind = 0; kind < _lists.Length; kind++)
        {
            ref PageList list = ref _lists[kind];
            for (; list.Count > page; list.Count--)
                if (list.Pages[list.Count - 1] != 0) CachePages.Release(list.Pages[list.Count - 1]);
            list.First = Math.Min(list.First, page);
        }
    }

    /// <summary>Pages of one kind.</summary>
    /// <param name="Pages">The pages, with room for more.</param>
    /// <param name="Count">How many there are.</param>
    /// <param name="First">The first that is there; those before it have been let go of.</param>
    private record struct PageList(nint[] Pages, int Count, int First)
    {
        public nint[] Pages = Pages;
        public int Count = Count;
        public int First = First;
    }
}
