namespace MLComponents.Tokenization;

/// <summary>A list or tuple; templates cannot change either.</summary>
internal abstract class SequenceValue(object?[] items)
{
    public object?[] Items => items;

    /// <summary>A sequence of the same kind.</summary>
    public abstract SequenceValue With(object?[] other);
}

/// <summary>A list.</summary>
internal sealed class ListValue(object?[] items) : SequenceValue(items)
{
    public override SequenceValue With(object?[] other) => new ListValue(other);
}

/// <summary>A tuple.</summary>
internal class TupleValue(params object?[] items) : SequenceValue(items)
{
    public override SequenceValue With(object?[] other) => new TupleValue(other);
}

/// <summary>A group of the filter groupby: a tuple whose parts have names.</summary>
internal sealed class GroupValue(object? grouper, ListValue list) : TupleValue(grouper, list);

/// <summary>A dictionary, in the order in which its keys came.</summary>
internal sealed class DictValue(RenderContext context)
{
    private static readonly object NoneKey = new();

    private readonly OrderedDictionary<object, object?> _items = new(context.Keys);

    public int Count => _items.Count;

    public IEnumerable<object?> Keys => _items.Keys.Select(key => ReferenceEquals(key, NoneKey) ? null : key);

    public IEnumerable<object?> Values => _items.Values;

    public IEnumerable<KeyValuePair<object?, object?>> Pairs =>
        _items.Select(pair => KeyValuePair.Create(ReferenceEquals(pair.Key, NoneKey) ? null : pair.Key, pair.Value));

    public bool TryGet(object? key, out object? value) => _items.TryGetValue(key ?? NoneKey, out value);

    public void Set(object? key, object? value) => _items[key ?? NoneKey] = value;

    public void Remove(object? key) => _items.Remove(key ?? NoneKey);

    /// <summary>A copy, which can be changed before a template sees it.</summary>
    public DictValue Copy(RenderContext context)
    {
        context.Charge(Count);
        var copy = new DictValue(context);
        foreach ((object key, object? value) in _items) copy._items[key] = value;
        return copy;
    }
}

/// <summary>The keys, values or items of a dictionary.</summary>
internal sealed class DictView(DictValue owner, string kind)
{
    /// <summary>keys, values or items.</summary>
    public string Kind => kind;

    public DictValue Owner => owner;

    public IEnumerable<object?> Items => kind switch
    {
        "keys" => owner.Keys,
        "values" => owner.Values,
        _ => owner.Pairs.Select(pair => (object?)new TupleValue(pair.Key, pair.Value)),
    };
}

/// <summary>The numbers from a start to before a stop.</summary>
internal sealed class RangeValue(long start, long stop, long step)
{
    public long Start => start;

    public long Stop => stop;

    public long Step => step;

    public long Count => step > 0 ? Math.Max(0, (stop - start + step - 1) / step) : Math.Max(0, (start - stop - step - 1) / -step);

    public long this[long index] => start + (index * step);

    public IEnumerable<object?> Items
    {
        get
        {
            for (long index = 0; index < Count; index++) yield return this[index];
        }
    }
}

/// <summary>What filters such as map give: items that come one by one, once.</summary>
internal sealed class IteratorValue(string typeName, IEnumerable<object?> items)
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public string TypeName => typeName;

    /// <summary>The items that are left.</summary>
    public IEnumerable<object?> Remaining()
    {
        while (_items.MoveNext()) yield return _items.Current;
    }
}

/// <summary>A text that counts as HTML: what is joined to it is escaped.</summary>
internal sealed record MarkupText(string Text)
{
    public static string Escape(string text) => text.Replace("&", "&amp;").Replace(">", "&gt;").Replace("<", "&lt;").Replace("'", "&#39;").Replace("\"", "&#34;");

    /// <summary>A value as a part of HTML.</summary>
    public static string Of(RenderContext context, object? value) => value is MarkupText markup ? markup.Text : Escape(ValueText.Str(context, value));
}

/// <summary>An object whose attributes a template may set.</summary>
internal sealed class NamespaceValue(DictValue attributes)
{
    public DictValue Attributes => attributes;

    public void Set(string name, object? value)
    {
        CheckName(name);
        attributes.Set(name, value);
    }

    public static void CheckName(string name)
    {
        if (name.StartsWith('_'))
            throw new Fault(ChatTemplateErrorKind.Security, $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute.");
    }
}
