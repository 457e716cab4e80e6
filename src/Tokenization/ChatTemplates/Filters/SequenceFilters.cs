using System.Text;

namespace MLComponents.Tokenization;

/// <summary>Filters of sequences and dictionaries.</summary>
internal static class SequenceFilters
{
    public static void AddTo(FilterTable table)
    {
        table.Add("length", "", (_, value, _) => Sequences.Length(value));
        table.Alias("count", "length");
        table.Add("default", "default_value? boolean?", (_, value, a) => value is UndefinedValue || (a.Truth(1) && !ValueTypes.IsTrue(value)) ? a.Or(0, "") : value);
        table.Alias("d", "default");
        table.Add("list", "", (context, value, _) => new ListValue(context.Collect(Sequences.Iterate(value))));
        table.Add("first", "", (_, value, _) => Sequences.Iterate(value).Take(1).ToArray() is [var first] ? first : UndefinedValue.Because("No first item, sequence was empty."));
        table.Add("last", "", (context, value, _) => Reversible(context, value) is [.., var last] ? last : UndefinedValue.Because("No last item, sequence was empty."));
        table.Add("random", "", (_, _, _) => throw Fault.Refused("The filter random"));
        table.Add("reverse", "", (context, value, _) => Reverse(context, value));
        table.Add("join", "d? attribute?", Join);
        table.Add("sort", "reverse? case_sensitive? attribute?", Sort);
        table.Add("unique", "case_sensitive? attribute?", (context, value, a) => new IteratorValue("generator", Unique(context, value, Key(context, a.Or(1, null), a.Truth(0)))));
        table.Add("min", "case_sensitive? attribute?", (context, value, a) => Extreme(context, value, a, "<"));
        table.Add("max", "case_sensitive? attribute?", (context, value, a) => Extreme(context, value, a, ">"));
        table.Add("dictsort", "case_sensitive? by? reverse?", DictSort);
        table.Add("items", "", (_, value, _) => new IteratorValue("generator", Pairs(value)));
        table.Add("groupby", "attribute default? case_sensitive?", GroupBy);
        table.Add("batch", "linecount fill_with?", (context, value, a) => new IteratorValue("generator", Batch(context, value, a)));
        table.Add("slice", "slices fill_with?", (context, value, a) => new IteratorValue("generator", Slice(context, value, a)));
        table.Add("attr", "name", (context, value, a) => ValueTypes.Text(a[0]) is { } name && Members.TryAttribute(context, value, name, out object? found) ? found : UndefinedValue.OfMember(value, a[0]));
    }

    /// <summary>What strings are compared by: in lower case unless told otherwise.</summary>
    private static Func<object?, object?> Key(RenderContext context, object? attribute, bool caseSensitive, object? missing = null)
    {
        Func<object?, object?> getter = AttributePath.Parse(attribute).Get(context, missing);
        return caseSensitive ? getter : item => IgnoreCase(getter(item));
    }

    private static object? IgnoreCase(object? value) => ValueTypes.Text(value) is { } text ? PythonText.Lower(text) : value;

    private static IEnumerable<object?> Pairs(object? value)
    {
        if (value is UndefinedValue) yield break;
        if (value is not DictValue dict) throw Fault.Type("Can only get item pairs from a mapping.");
        foreach (object? pair in new DictView(dict, "items").Items) yield return pair;
    }

    private static object?[] Reversible(RenderContext context, object? value) => value switch
    {
        IteratorValue => throw Fault.Type($"'{ValueTypes.Name(value)}' object is not reversible"),
        _ => Sequences.IsIterable(value) ? context.Collect(Sequences.Iterate(value)) : throw Fault.Type($"'{ValueTypes.Name(value)}' object is not reversible"),
    };

    private static object Reverse(RenderContext context, object? value)
    {
        if (value is string or MarkupText) return Sequences.Slice(context, value, null, null, -1L)!;
        if (!Sequences.IsIterable(value)) throw Fault.Runtime("argument must be iterable");
        object?[] items = context.Collect(Sequences.Iterate(value));
        Array.Reverse(items);
        string? type = value switch
        {
            ListValue => "list_reverseiterator",
            TupleValue => "reversed",
            RangeValue => "range_iterator",
            DictValue => "dict_reversekeyiterator",
            DictView view => view.Kind == "keys" ? "dict_reversekeyiterator" : view.Kind == "values" ? "dict_reversevalueiterator" : "dict_reverseitemiterator",
            _ => null,
        };
        return type is null ? new ListValue(items) : new IteratorValue(type, items);
    }

    private static object Join(RenderContext context, object? value, BoundArguments arguments)
    {
        string separator = ValueText.Str(context, arguments.Or(0, ""));
        Func<object?, object?> getter = arguments.Or(1, null) is { } attribute ? AttributePath.Parse(attribute).Get(context) : item => item;
        var joined = new StringBuilder();
        bool any = false;
        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            if (any) joined.Append(separator);
            joined.Append(ValueText.Str(context, getter(item)));
            if (joined.Length > context.MaxText) context.Charge(joined.Length);
            any = true;
        }

        return context.Made(joined.ToString());
    }

    private static object Sort(RenderContext context, object? value, BoundArguments arguments)
    {
        bool caseSensitive = arguments.Truth(1);
        object? attribute = arguments.Or(2, null);
        object?[] items = context.Collect(Sequences.Iterate(value));
        object?[] attributes = ValueTypes.Text(attribute) is { } text ? text.Split(',') : [attribute];
        Func<object?, object?>[] keys = [.. attributes.Select(part => Key(context, part, caseSensitive))];
        return new ListValue(Sorting.Sort(context, items, item => new ListValue([.. keys.Select(key => key(item))]), arguments.Truth(0)));
    }

    private static IEnumerable<object?> Unique(RenderContext context, object? value, Func<object?, object?> key)
    {
        var seen = new DictValue(context);
        foreach (object? item in Sequences.Iterate(value))
        {
            object? found = key(item);
            if (seen.TryGet(found, out _)) continue;
            seen.Set(found, true);
            yield return item;
        }
    }

    private static object? Extreme(RenderContext context, object? value, BoundArguments arguments, string comparison)
    {
        Func<object?, object?> key = Key(context, arguments.Or(1, null), arguments.Truth(0));
        bool any = false;
        (object? best, object? bestKey) = (null, null);
        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            object? itemKey = key(item);
            if (!any || Comparison.Holds(context, comparison, itemKey, bestKey)) (best, bestKey) = (item, itemKey);
            any = true;
        }

        return any ? best : UndefinedValue.Because("No aggregated item, sequence was empty.");
    }

    private static object DictSort(RenderContext context, object? value, BoundArguments arguments)
    {
        string by = arguments.Has(1) ? ValueText.Str(context, arguments[1]) : "key";
        if (by is not ("key" or "value")) throw Fault.Runtime("You can only sort by either \"key\" or \"value\"");
        if (value is UndefinedValue undefined) throw undefined.Failure();
        if (value is not DictValue dict) throw Fault.Type($"'{ValueTypes.Name(value)}' object has no attribute 'items'");
        bool caseSensitive = arguments.Truth(0);
        return new ListValue([.. Sorting.Sort(context, [.. dict.Pairs], pair => caseSensitive ? Part(pair) : IgnoreCase(Part(pair)), arguments.Truth(2)).Select(pair => new TupleValue(pair.Key, pair.Value))]);

        object? Part(KeyValuePair<object?, object?> pair) => by == "key" ? pair.Key : pair.Value;
    }

    private static object GroupBy(RenderContext context, object? value, BoundArguments arguments)
    {
        object? missing = arguments.Or(1, null);
        Func<object?, object?> key = Key(context, arguments[0], arguments.Truth(2), missing), real = Key(context, arguments[0], caseSensitive: true, missing);
        var groups = new List<object?>();
        var group = new List<object?>();
        object? groupKey = null;
        foreach (object? item in Sorting.Sort(context, context.Collect(Sequences.Iterate(value)), key, reverse: false))
        {
            object? itemKey = key(item);
            if (group.Count > 0 && !Comparison.Equal(context, groupKey, itemKey)) Close();
            groupKey = itemKey;
            group.Add(item);
        }

        if (group.Count > 0) Close();
        return new ListValue([.. groups]);

        void Close()
        {
            groups.Add(new GroupValue(real(group[0]), new ListValue([.. group])));
            group.Clear();
        }
    }

    private static IEnumerable<object?> Batch(RenderContext context, object? value, BoundArguments arguments)
    {
        long size = arguments.Integer(0);
        var batch = new List<object?>();
        foreach (object? item in Sequences.Iterate(value))
        {
            if (batch.Count == size)
            {
                yield return new ListValue([.. batch]);
                batch.Clear();
            }

            batch.Add(item);
        }

        if (batch.Count == 0) yield break;
        if (arguments.Or(1, null) is { } fill && batch.Count < size)
        {
            context.Charge(size);
            while (batch.Count < size) batch.Add(fill);
        }

        yield return new ListValue([.. batch]);
    }

    private static IEnumerable<object?> Slice(RenderContext context, object? value, BoundArguments arguments)
    {
        object?[] items = context.Collect(Sequences.Iterate(value));
        long count = arguments.Integer(0);
        if (count == 0) throw Fault.Value("integer division or modulo by zero");
        if (count < 0) yield break;
        long each = items.Length / count, extra = items.Length % count, offset = 0;
        for (long slice = 0; slice < count; slice++)
        {
            long start = offset + (slice * each);
            if (slice < extra) offset++;
            var part = items[(int)start..(int)(offset + ((slice + 1) * each))].ToList();
            if (arguments.Or(1, null) is { } fill && slice >= extra) part.Add(fill);
            context.Charge(part.Count + 1);
            yield return new ListValue([.. part]);
        }
    }
}
