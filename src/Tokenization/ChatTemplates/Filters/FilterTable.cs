namespace MLComponents.Tokenization;

/// <summary>A filter: a function of a value and arguments.</summary>
internal delegate object? FilterBody(RenderContext context, object? value, BoundArguments arguments);

/// <summary>The filters by name.</summary>
internal sealed class FilterTable
{
    private static readonly FilterTable All = new();

    private readonly Dictionary<string, (Signature Signature, FilterBody Body)> _filters = new();

    private FilterTable()
    {
        TextFilters.AddTo(this);
        SequenceFilters.AddTo(this);
        NumberFilters.AddTo(this);
        SelectionFilters.AddTo(this);
    }

    public static bool Has(string name) => All._filters.ContainsKey(name);

    public void Add(string name, string parameters, FilterBody body) => _filters[name] = (new Signature(name, parameters), body);

    public void Alias(string name, string other) => _filters[name] = _filters[other];

    /// <summary>Applies a filter.</summary>
    public static object? Apply(RenderContext context, string name, object? value, Arguments arguments)
    {
        if (!All._filters.TryGetValue(name, out (Signature Signature, FilterBody Body) filter)) throw Fault.Runtime($"No filter named '{name}' found.");
        return filter.Body(context, value, filter.Signature.Bind(arguments));
    }
}
