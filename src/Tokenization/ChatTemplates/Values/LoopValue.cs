namespace MLComponents.Tokenization;

/// <summary>The variable <c>loop</c> of a for loop, which is also what brings the loop its items.</summary>
internal sealed class LoopValue(RenderContext context, object? source, IEnumerable<object?> items, int depth, Func<object?, int, string>? recurse) : CallableValue
{
    private static readonly object Nothing = new();
    private static readonly Signature Values = new("cycle", "*values");
    private static readonly Signature Iterable = new("loop", "iterable");

    private readonly long? _known = source is null ? null : Sequences.TryLength(source);
    private IEnumerator<object?> _items = items.GetEnumerator();
    private long? _length;
    private object? _after = Nothing;
    private object? _before = Nothing;
    private object? _current = Nothing;
    private TupleValue? _lastChanged;

    public override string Name => "loop";

    public override string TypeName => "LoopContext";

    public long Index0 { get; private set; } = -1;

    public long Index => Index0 + 1;

    /// <summary>How many items there are; those of an iterator are taken from it for that.</summary>
    public long Length
    {
        get
        {
            if (_known is { } known) return known;
            if (_length is { } counted) return counted;
            object?[] rest = context.Collect(Rest());
            _items = ((IEnumerable<object?>)rest).GetEnumerator();
            _length = rest.Length + Index + (ReferenceEquals(_after, Nothing) ? 0 : 1);
            return _length.Value;
        }
    }

    /// <summary>Goes on to the next item.</summary>
    public bool MoveNext(out object? item)
    {
        item = Peek();
        _after = Nothing;
        if (ReferenceEquals(item, Nothing)) return false;
        Index0++;
        _before = _current;
        _current = item;
        return true;
    }

    /// <summary>The items that are left, each with the loop, as iterating over the loop itself gives them.</summary>
    public IEnumerable<object?> Remaining()
    {
        while (MoveNext(out object? item)) yield return new TupleValue(item, this);
    }

    public object? Attribute(string name) => name switch
    {
        "index" => Index,
        "index0" => Index0,
        "revindex" => Length - Index0,
        "revindex0" => Length - Index,
        "first" => Index0 == 0,
        "last" => ReferenceEquals(Peek(), Nothing),
        "length" => Length,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => Index0 == 0 ? UndefinedValue.Because("there is no previous item") : _before ?? Members.None,
        "nextitem" => ReferenceEquals(Peek(), Nothing) ? UndefinedValue.Because("there is no next item") : Peek() ?? Members.None,
        "cycle" => new FunctionValue("method", Values, (_, a) => a.Rest(0) is { Length: > 0 } values ? values[Index0 % values.Length] : throw Fault.Type("no items for cycling given")),
        "changed" => new FunctionValue("method", Values, (_, a) => Changed(new TupleValue(a.Rest(0)))),
        _ => null,
    };

    public override object? Call(RenderContext context, Arguments arguments)
    {
        if (recurse is null) throw Fault.Type("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(Iterable.Bind(arguments)[0], depth + 1);
    }

    private object? Peek()
    {
        if (ReferenceEquals(_after, Nothing)) _after = _items.MoveNext() ? _items.Current : Nothing;
        return _after;
    }

    private IEnumerable<object?> Rest()
    {
        while (_items.MoveNext()) yield return _items.Current;
    }

    private bool Changed(TupleValue values)
    {
        if (_lastChanged is not null && Comparison.Equal(context, _lastChanged, values)) return false;
        _lastChanged = values;
        return true;
    }
}
