using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>Filters that compute.</summary>
internal static class NumberFilters
{
    public static void AddTo(FilterTable table)
    {
        table.Add("abs", "", (_, value, _) => value switch
        {
            double number => Math.Abs(number),
            _ when Numbers.TryWhole(value, out BigInteger number) => Numbers.Whole(BigInteger.Abs(number)),
            _ => throw Fault.Type($"bad operand type for abs(): '{ValueTypes.Name(value)}'"),
        });
        table.Add("int", "default? base?", ToInteger);
        table.Add("float", "default?", (_, value, a) => value is UndefinedValue undefined ? throw undefined.Failure() : TryFloat(value, out double number) ? number : a.Or(0, 0.0));
        table.Add("round", "precision? method?", Round);
        table.Add("sum", "attribute? start?", Sum);
    }

    /// <summary>A value as a float, where Python's float() takes it.</summary>
    public static bool TryFloat(object? value, out double number)
    {
        number = 0;
        if (ValueTypes.Text(value) is { } text) return Numbers.TryParseFloat(text, out number);
        if (!Numbers.IsNumber(value)) return false;
        number = Numbers.ToDouble(value);
        return true;
    }

    private static object? ToInteger(RenderContext context, object? value, BoundArguments arguments)
    {
        if (value is UndefinedValue undefined) throw undefined.Failure();
        if (value is double real) return double.IsNaN(real) ? arguments.Or(0, 0L) : Numbers.Truncate(real);
        if (Numbers.TryWhole(value, out BigInteger whole)) return Numbers.Whole(whole);
        if (ValueTypes.Text(value) is not { } text) return arguments.Or(0, 0L);
        long numberBase = arguments.Integer(1, 10);
        if (numberBase is 0 or (>= 2 and <= 36) && Numbers.TryParseWhole(text, (int)numberBase, out object? number)) return number;
        return Numbers.TryParseFloat(text, out double parsed) && double.IsFinite(parsed) ? Numbers.Truncate(parsed) : arguments.Or(0, 0L);
    }

    private static object Round(RenderContext context, object? value, BoundArguments arguments)
    {
        string method = arguments.Has(1) ? arguments.RequiredText(1) : "common";
        if (method is not ("common" or "ceil" or "floor")) throw Fault.Runtime("method must be common, ceil or floor");
        if (method == "common") return Numbers.Round(value, Math.Clamp(arguments.Integer(0), -1000, 1000));
        object? unit = Operators.Binary(context, "**", 10L, arguments.Integer(0));
        double scaled = Numbers.ToDouble(Operators.Binary(context, "*", value, unit));
        object rounded = Numbers.Truncate(method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled));
        return Operators.Binary(context, "/", rounded, unit)!;
    }

    private static object? Sum(RenderContext context, object? value, BoundArguments arguments)
    {
        object? sum = arguments.Or(1, 0L);
        if (sum is string or MarkupText) throw Fault.Type("sum() can't sum strings [use ''.join(seq) instead]");
        Func<object?, object?> getter = arguments.Or(0, null) is { } attribute ? AttributePath.Parse(attribute).Get(context) : item => item;
        foreach (object? item in Sequences.Iterate(value))
        {
            context.Step();
            sum = Operators.Binary(context, "+", sum, getter(item));
        }

        return sum;
    }
}
