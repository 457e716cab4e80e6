namespace MLComponents.Tokenization;

/// <summary>Length, iteration and subscription of values.</summary>
internal static class Sequences
{
    /// <summary>The length, or null where a value has none.</summary>
    public static long? TryLength(object? value) => value switch
    {
        string text => CodePointText.Length(text),
        MarkupText markup => CodePointText.Length(markup.Text),
        SequenceValue sequence => sequence.Items.Length,
        DictValue dict => dict.Count,
        DictView view => view.Owner.Count,
        RangeValue range => range.Count,
        UndefinedValue => 0,
        LoopValue loop => loop.Length,
        _ => null,
    };

    public static long Length(object? value) => TryLength(value) ?? throw Fault.Type($"object of type '{ValueTypes.Name(value)}' has no len()");

    public static bool IsIterable(object? value) =>
        value is string or MarkupText or SequenceValue or DictValue or DictView or RangeValue or UndefinedValue or IteratorValue or LoopValue;

    /// <summary>The items of a value; those of an iterator come only once.</summary>
    public static IEnumerable<object?> Iterate(object? value) => value switch
    {
        SequenceValue sequence => sequence.Items,
        DictValue dict => dict.Keys,
        DictView view => view.Items,
        string text => CodePointText.Characters(text),
        MarkupText markup => CodePointText.Characters(markup.Text),
        RangeValue range => range.Items,
        UndefinedValue => [],
        IteratorValue iterator => iterator.Remaining(),
        LoopValue loop => loop.Remaining(),
        _ => throw Fault.Type($"'{ValueTypes.Name(value)}' object is not iterable"),
    };

    /// <summary>The item at an index or key; false where there is none, or where the value has no items.</summary>
    public static bool TryItem(object? value, object? key, out object? item)
    {
        item = null;
        switch (value)
        {
            case UndefinedValue undefined:
                throw undefined.Failure();
            case DictValue dict:
                return key is not (ListValue or DictValue) && dict.TryGet(key, out item);
            case SequenceValue sequence when Numbers.TryIndex(key, out long index):
                if (index < 0) index += sequence.Items.Length;
                if (index < 0 || index >= sequence.Items.Length) return false;
                item = sequence.Items[index];
                return true;
            case string or MarkupText when Numbers.TryIndex(key, out long index):
                if (!CodePointText.TryCharacter(ValueTypes.Text(value)!, index, out string? character)) return false;
                item = value is MarkupText ? new MarkupText(character) : character;
                return true;
            case RangeValue range when Numbers.TryIndex(key, out long index):
                if (index < 0) index += range.Count;
                if (index < 0 || index >= range.Count) return false;
                item = range[index];
                return true;
            default:
                return false;
        }
    }

    /// <summary>A part of a value; each bound may be None.</summary>
    public static object? Slice(RenderContext context, object? value, object? start, object? stop, object? step)
    {
        switch (value)
        {
            case UndefinedValue undefined:
                throw undefined.Failure();
            case string text:
                return SliceText(context, text, start, stop, step);
            case MarkupText markup:
                return new MarkupText(SliceText(context, markup.Text, start, stop, step));
            case SequenceValue sequence:
                (long from, long to, long by) = Bounds(sequence.Items.Length, start, stop, step);
                var items = new object?[new RangeValue(from, to, by).Count];
                context.Charge(items.Length);
                for (int index = 0; index < items.Length; index++) items[index] = sequence.Items[from + (index * by)];
                return sequence.With(items);
            case RangeValue range:
                (from, to, by) = Bounds(range.Count, start, stop, step);
                return new RangeValue(range[from], range[to], range.Step * by);
            case DictValue:
                throw Fault.Type("unhashable type: 'slice'");
            default:
                throw Fault.Type($"'{ValueTypes.Name(value)}' object is not subscriptable");
        }
    }

    private static string SliceText(RenderContext context, string text, object? start, object? stop, object? step)
    {
        (long from, long to, long by) = Bounds(CodePointText.Length(text), start, stop, step);
        if (by == 1) return context.Made(CodePointText.Part(text, from, to));
        return context.Made(CodePointText.Pick(text, new RangeValue(from, to, by)));
    }

    // As slice.indices does.
    private static (long From, long To, long By) Bounds(long length, object? start, object? stop, object? step)
    {
        long by = step is null ? 1 : Bound(step);
        if (by == 0) throw Fault.Value("slice step cannot be zero");
        by = Math.Max(by, -long.MaxValue);
        long low = by < 0 ? -1 : 0, high = by < 0 ? length - 1 : length;
        long from = start is null ? (by < 0 ? high : low) : Clip(Bound(start));
        long to = stop is null ? (by < 0 ? low : high) : Clip(Bound(stop));
        return (from, to, Math.Clamp(by, -length - 1, length + 1));

        long Clip(long bound) => bound < 0 ? Math.Max(bound + length, low) : Math.Min(bound, high);
    }

    private static long Bound(object? value) => value switch
    {
        UndefinedValue or not (bool or long or System.Numerics.BigInteger) => throw Fault.Type("slice indices must be integers or None or have an __index__ method"),
        System.Numerics.BigInteger number => number.Sign < 0 ? -(1L << 60) : 1L << 60,
        _ => Numbers.TryIndex(value, out long index) ? index : 0,
    };
}
