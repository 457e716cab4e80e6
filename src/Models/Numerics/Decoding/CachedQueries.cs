namespace MLComponents.Models;

/// <summary>Queries of a row's tokens, one token behind the other, and how much of the row each of them sees.</summary>
/// <param name="numbers">The queries, already scaled, <c>[tokens, group, size]</c>.</param>
/// <param name="count">How many.</param>
/// <param name="size">The size of a head.</param>
/// <param name="group">The queries of a token.</param>
/// <param name="position">The place of the first token in the row.</param>
/// <param name="window">How many tokens a token sees, itself among them; null for all.</param>
internal readonly unsafe struct CachedQueries(float* numbers, int count, int size, int group, int position, int? window)
{
    private readonly int _window = window ?? int.MaxValue;

    /// <summary>The queries.</summary>
    public float* Numbers { get; } = numbers;

    /// <summary>How many.</summary>
    public int Count { get; } = count;

    /// <summary>The size of a head.</summary>
    public int Size { get; } = size;

    /// <summary>The first token that a query sees.</summary>
    public int FirstSeen(int query) => Math.Max(0, EndSeen(query) - _window);

    /// <summary>The token behind the last one that a query sees.</summary>
    public int EndSeen(int query) => position + (query / group) + 1;
}
