using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>The tests by name: what stands behind <c>is</c>.</summary>
internal static class TestTable
{
    private static readonly Dictionary<string, (Signature Signature, Func<RenderContext, object?, BoundArguments, bool> Body)> Tests = new();

    static TestTable()
    {
        Add("defined", value => value is not UndefinedValue);
        Add("undefined", value => value is UndefinedValue);
        Add("none", value => value is null);
        Add("boolean", value => value is bool);
        Add("true", value => value is true);
        Add("false", value => value is false);
        Add("integer", value => value is long or BigInteger);
        Add("float", value => value is double);
        Add("number", Numbers.IsNumber);
        Add("string", value => value is string or MarkupText);
        Add("mapping", value => value is DictValue);
        Add("sequence", value => value is string or MarkupText or SequenceValue or DictValue or RangeValue or UndefinedValue);
        Add("iterable", Sequences.IsIterable);
        Add("callable", value => value is CallableValue or UndefinedValue);
        Add("escaped", value => value is MarkupText);
        Add("upper", "", (context, value, _) => StringMethods.IsUpper(ValueText.Str(context, value)));
        Add("lower", "", (context, value, _) => StringMethods.IsLower(ValueText.Str(context, value)));
        Add("odd", "", (context, value, _) => Comparison.Equal(context, Operators.Binary(context, "%", value, 2L), 1L));
        Add("even", "", (context, value, _) => Comparison.Equal(context, Operators.Binary(context, "%", value, 2L), 0L));
        Add("divisibleby", "num", (context, value, a) => Comparison.Equal(context, Operators.Binary(context, "%", value, a[0]), 0L));
        Add("filter", "", (context, value, _) => IsKey(context, value) && ValueTypes.Text(value) is { } name && FilterTable.Has(name));
        Add("test", "", (context, value, _) => IsKey(context, value) && ValueTypes.Text(value) is { } name && Has(name));
        Add("sameas", "other", (_, value, a) => IsSame(value, a[0]));
        Add("in", "seq", (context, value, a) => Comparison.Contains(context, a[0], value));
        foreach (string name in (string[])["==", "eq", "equalto"]) Add(name, "other", (context, value, a) => Comparison.Equal(context, value, a[0]));
        foreach (string name in (string[])["!=", "ne"]) Add(name, "other", (context, value, a) => !Comparison.Equal(context, value, a[0]));
        foreach (string name in (string[])[">", "gt", "greaterthan"]) Add(name, "other", (context, value, a) => Comparison.Holds(context, ">", value, a[0]));
        foreach (string name in (string[])[">=", "ge"]) Add(name, "other", (context, value, a) => Comparison.Holds(context, ">=", value, a[0]));
        foreach (string name in (string[])["<", "lt", "lessthan"]) Add(name, "other", (context, value, a) => Comparison.Holds(context, "<", value, a[0]));
        foreach (string name in (string[])["<=", "le"]) Add(name, "other", (context, value, a) => Comparison.Holds(context, "<=", value, a[0]));
    }

    public static bool Has(string name) => Tests.ContainsKey(name);

    /// <summary>Applies a test.</summary>
    public static bool Apply(RenderContext context, string name, object? value, Arguments arguments)
    {
        if (!Tests.TryGetValue(name, out (Signature Signature, Func<RenderContext, object?, BoundArguments, bool> Body) test)) throw Fault.Runtime($"No test named '{name}' found.");
        return test.Body(context, value, test.Signature.Bind(arguments));
    }

    private static void Add(string name, Func<object?, bool> body) => Add(name, "", (_, value, _) => body(value));

    private static void Add(string name, string parameters, Func<RenderContext, object?, BoundArguments, bool> body) => Tests[name] = (new Signature(name, parameters), body);

    // Fails for what cannot be looked up.
    private static bool IsKey(RenderContext context, object? value) => value is not null && context.Keys.GetHashCode(value) is var _;

    // Small whole numbers, truths and None are single objects in Python; texts that are equal mostly are.
    private static bool IsSame(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (bool first, bool second) => first == second,
        (long first, long second) => first == second,
        (string first, string second) => first == second,
        _ => ReferenceEquals(left, right),
    };
}
