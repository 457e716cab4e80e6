namespace MLComponents.Models;

/// <summary>A Python dictionary whose keys are texts, in the order in which they were added. An empty one costs next to nothing, since a hostile file may make many.</summary>
internal sealed class PickleDictionary
{
    private OrderedDictionary<string, object?>? _items;

    /// <summary>Keys and values.</summary>
    public IReadOnlyCollection<KeyValuePair<string, object?>> Items => _items is null ? [] : _items;

    /// <summary>Adds an item, or gives a key another value, as in Python.</summary>
    public void Set(string key, object? value) => (_items ??= [])[key] = value;

    /// <summary>The value of a key, or null where there is none.</summary>
    public object? this[string key] => _items?.GetValueOrDefault(key);
}
