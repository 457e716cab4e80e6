namespace MLComponents.Tokenization;

/// <summary>Filters that apply filters or tests to every item.</summary>
internal static class SelectionFilters
{
    public static void AddTo(FilterTable table)
    {
        table.Add("map", "*args **kwargs", (context, value, a) => new IteratorValue("generator", Map(context, value, a)));
        table.Add("select", "*args **kwargs", (context, value, a) => new IteratorValue("generator", Select(context, value, a, ofAttribute: false, keep: true)));
        table.Add("reject", "*args **kwargs", (context, value, a) => new IteratorValue("generator", Select(context, value, a, ofAttribute: false, keep: false)));
        table.Add("selectattr", "*args **kwargs", (context, value, a) => new IteratorValue("generator", Select(context, value, a, ofAttribute: true, keep: true)));
        table.Add("rejectattr", "*args **kwargs", (context, value, a) => new IteratorValue("generator", Select(context, value, a, ofAttribute: true, keep: false)));
    }

    private static IEnumerable<object?> Map(RenderContext context, object? value, BoundArguments arguments)
    {
        if (!ValueTypes.IsTrue(value)) yield break;
        Func<object?, object?> change = Change(context, arguments.Rest(0), arguments.Named(1));
        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            yield return change(item);
        }
    }

    private static Func<object?, object?> Change(RenderContext context, object?[] positional, IReadOnlyList<KeyValuePair<string, object?>> named)
    {
        if (positional.Length == 0 && named.Any(pair => pair.Key == "attribute"))
        {
            foreach ((string name, _) in named)
                if (name is not ("attribute" or "default")) throw Fault.Runtime($"Unexpected keyword argument {ValueText.Quote(name)}");
            return AttributePath.Parse(Named("attribute")).Get(context, Named("default"));
        }

        if (positional.Length == 0) throw Fault.Runtime("map requires a filter argument");
        string filter = ValueText.Str(context, positional[0]);
        if (!FilterTable.Has(filter)) throw Fault.Runtime($"No filter named {ValueText.Quote(filter)}.");
        var arguments = new Arguments(positional[1..], named);
        return item => FilterTable.Apply(context, filter, item, arguments);

        object? Named(string wanted) => named.FirstOrDefault(pair => pair.Key == wanted).Value;
    }

    private static IEnumerable<object?> Select(RenderContext context, object? value, BoundArguments arguments, bool ofAttribute, bool keep)
    {
        if (!ValueTypes.IsTrue(value)) yield break;
        object?[] positional = arguments.Rest(0);
        Func<object?, object?> get = item => item;
        if (ofAttribute)
        {
            if (positional.Length == 0) throw Fault.Runtime("Missing parameter for attribute name");
            get = AttributePath.Parse(positional[0]).Get(context);
            positional = positional[1..];
        }

        Func<object?, bool> test = ValueTypes.IsTrue;
        if (positional.Length > 0)
        {
            string name = ValueText.Str(context, positional[0]);
            if (!TestTable.Has(name)) throw Fault.Runtime($"No test named {ValueText.Quote(name)}.");
            var further = new Arguments(positional[1..], arguments.Named(1));
            test = item => TestTable.Apply(context, name, item, further);
        }

        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            if (test(get(item)) == keep) yield return item;
        }
    }
}
