namespace MLComponents.Tokenization;

/// <summary>The functions that every template can call.</summary>
internal static class Globals
{
    private const long MaxRange = 100_000;

    private static readonly Dictionary<string, CallableValue> Functions = new();

    static Globals()
    {
        Add("function", "range", "start stop? step?", (_, a) => Range(a));
        Add("type", "dict", "*args **kwargs", (context, a) => Dict(context, a));
        Add("type", "namespace", "*args **kwargs", (context, a) =>
        {
            DictValue attributes = Dict(context, a);
            foreach (object? key in attributes.Keys) NamespaceValue.CheckName(ValueTypes.Text(key) ?? "");
            return new NamespaceValue(attributes);
        });
        Add("type", "cycler", "*items", (_, a) => a.Rest(0) is { Length: > 0 } items ? new CyclerValue(items) : throw Fault.Value("at least one item has to be provided"));
        Add("type", "joiner", "sep?", (context, a) => Joiner(a.Or(0, ", ")));
        Add("function", "lipsum", "*args **kwargs", (_, _) => throw Fault.Refused("lipsum"));
        Add("function", "raise_exception", "message", (context, a) => throw new Fault(ChatTemplateErrorKind.Raised, ValueText.Str(context, a[0])));
        Add("function", "strftime_now", "format", (context, a) => ValueTypes.Text(a[0]) is { } format
            ? TimeFormat.Format(context, context.Time.GetLocalNow(), format)
            : throw Fault.Type($"strftime() argument 1 must be str, not {ValueTypes.Name(a[0])}"));
    }

    public static CallableValue? Find(string name) => Functions.GetValueOrDefault(name);

    private static void Add(string type, string name, string parameters, Func<RenderContext, BoundArguments, object?> body) =>
        Functions[name] = new FunctionValue(type, new Signature(name, parameters), body);

    private static RangeValue Range(BoundArguments arguments)
    {
        long start = arguments.Has(1) ? arguments.Integer(0) : 0, stop = arguments.Has(1) ? arguments.Integer(1) : arguments.Integer(0), step = arguments.Integer(2, 1);
        if (step == 0) throw Fault.Value("range() arg 3 must not be zero");
        var range = new RangeValue(start, stop, step);
        return range.Count <= MaxRange ? range : throw Fault.Value($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");
    }

    private static DictValue Dict(RenderContext context, BoundArguments arguments)
    {
        object?[] positional = arguments.Rest(0);
        if (positional.Length > 1) throw Fault.Type($"dict expected at most 1 argument, got {positional.Length}");
        var made = new DictValue(context);
        if (positional is [DictValue source]) made = source.Copy(context);
        else if (positional is [var pairs])
        {
            int index = 0;
            foreach (object? pair in context.Collect(Sequences.Iterate(pairs)))
            {
                if (!Sequences.IsIterable(pair)) throw Fault.Type($"cannot convert dictionary update sequence element #{index} to a sequence");
                object?[] items = context.Collect(Sequences.Iterate(pair));
                if (items.Length != 2) throw Fault.Value($"dictionary update sequence element #{index} has length {items.Length}; 2 is required");
                made.Set(items[0], items[1]);
                index++;
            }
        }

        foreach ((string name, object? value) in arguments.Named(1)) made.Set(name, value);
        return made;
    }

    private static FunctionValue Joiner(object? separator)
    {
        bool used = false;
        return new FunctionValue("Joiner", new Signature("joiner", ""), (_, _) =>
        {
            object? given = used ? separator : "";
            used = true;
            return given;
        });
    }
}
