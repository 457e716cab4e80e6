using System.Collections;

namespace MLComponents.Models;

/// <summary>A list that equals another with the same items, so that records that hold one compare by value.</summary>
internal sealed class ValueList<T>(IEnumerable<T> items) : IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    private readonly T[] _items = [.. items];

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <inheritdoc/>
    public bool Equals(ValueList<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (T item in _items) hash.Add(item);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{string.Join(", ", _items)}]";

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();
}

/// <summary>Makes such lists.</summary>
internal static class ValueList
{
    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> items) => new ValueList<T>(items);

    public static IReadOnlyList<T> Of<T>(IReadOnlyList<T> items, Func<T, T> convert) => new ValueList<T>(items.Select(convert));

    public static IReadOnlyList<T>? OrNull<T>(IReadOnlyList<T>? items) => items is null ? null : Of(items);

    public static IReadOnlyList<T>? OrNull<T>(IReadOnlyList<T>? items, Func<T, T> convert) => items is null ? null : Of(items, convert);
}
