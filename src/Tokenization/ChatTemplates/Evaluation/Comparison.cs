using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>Equality, order and membership as Python has them.</summary>
internal static class Comparison
{
    public static bool Equal(RenderContext context, object? left, object? right)
    {
        if (ReferenceEquals(left, right)) return left is not double number || !double.IsNaN(number);
        switch (left, right)
        {
            case (null, _) or (_, null): return false;
            case (string first, string second): return first == second;
            case (long first, long second): return first == second;
            case (UndefinedValue, UndefinedValue): return true;
        }

        if (Numbers.IsNumber(left) && Numbers.IsNumber(right)) return CompareNumbers(left, right) == 0;
        if (ValueTypes.Text(left) is { } text && ValueTypes.Text(right) is { } other) return text == other;
        context.Step();
        return (left, right) switch
        {
            (ListValue first, ListValue second) => EqualItems(context, first.Items, second.Items),
            (TupleValue first, TupleValue second) => EqualItems(context, first.Items, second.Items),
            (DictValue first, DictValue second) => first.Count == second.Count
                && first.Pairs.All(pair => second.TryGet(pair.Key, out object? value) && Equal(context, pair.Value, value)),
            (RangeValue first, RangeValue second) => first.Count == second.Count && (first.Count == 0 || (first.Start == second.Start && (first.Count == 1 || first.Step == second.Step))),
            (DictView { Kind: not "values" } first, DictView { Kind: not "values" } second) => first.Owner.Count == second.Owner.Count
                && first.Items.All(item => second.Items.Any(candidate => Equal(context, item, candidate))),
            _ => false,
        };
    }

    /// <summary>Whether an operator such as &lt; holds.</summary>
    public static bool Holds(RenderContext context, string comparison, object? left, object? right) => comparison switch
    {
        "<" => Less(context, "<", left, right),
        ">" => Less(context, ">", right, left),
        "<=" => LessOrEqual(context, "<=", left, right),
        _ => LessOrEqual(context, ">=", right, left),
    };

    public static bool Contains(RenderContext context, object? container, object? item)
    {
        context.Step();
        switch (container)
        {
            case string or MarkupText:
                if (item is UndefinedValue or not (string or MarkupText)) throw Fault.Type($"'in <string>' requires string as left operand, not {ValueTypes.Name(item)}");
                return ValueTypes.Text(container)!.Contains(ValueTypes.Text(item)!, StringComparison.Ordinal);
            case DictValue dict:
                return dict.TryGet(item, out _);
            case DictView { Kind: "keys" } view:
                return view.Owner.TryGet(item, out _);
            case RangeValue range when Numbers.TryIndex(item, out long number):
                return range.Count > 0 && (number - range.Start) % range.Step == 0 && (number - range.Start) / range.Step is >= 0 and var index && index < range.Count;
        }

        if (!Sequences.IsIterable(container)) throw Fault.Type($"argument of type '{ValueTypes.Name(container)}' is not iterable");
        foreach (object? candidate in Sequences.Iterate(container))
        {
            context.Step();
            if (Equal(context, candidate, item)) return true;
        }

        return false;
    }

    private static bool EqualItems(RenderContext context, object?[] left, object?[] right)
    {
        if (left.Length != right.Length) return false;
        for (int index = 0; index < left.Length; index++)
            if (!Equal(context, left[index], right[index])) return false;
        return true;
    }

    // Whether left < right, which the template may have written as right > left.
    private static bool Less(RenderContext context, string written, object? left, object? right)
    {
        if ((written[0] == '<' ? left : right) is UndefinedValue first) throw first.Failure();
        if ((left as UndefinedValue ?? right as UndefinedValue) is { } undefined) throw undefined.Failure();
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right)) return CompareNumbers(left!, right!) is -1;
        if (ValueTypes.Text(left) is { } text && ValueTypes.Text(right) is { } other) return CodePointText.Compare(text, other) < 0;
        if ((left, right) is (ListValue or TupleValue, SequenceValue) && left is ListValue == right is ListValue)
            return LessItems(context, written, ((SequenceValue)left!).Items, ((SequenceValue)right!).Items, orEqual: false);
        throw Unordered(written, left, right);
    }

    private static bool LessOrEqual(RenderContext context, string written, object? left, object? right)
    {
        if (Numbers.IsNumber(left) && Numbers.IsNumber(right)) return CompareNumbers(left!, right!) is -1 or 0;
        if (ValueTypes.Text(left) is { } text && ValueTypes.Text(right) is { } other) return CodePointText.Compare(text, other) <= 0;
        if ((left, right) is (ListValue or TupleValue, SequenceValue) && left is ListValue == right is ListValue)
            return LessItems(context, written, ((SequenceValue)left!).Items, ((SequenceValue)right!).Items, orEqual: true);
        return Less(context, written, left, right);
    }

    private static bool LessItems(RenderContext context, string written, object?[] left, object?[] right, bool orEqual)
    {
        context.Step();
        for (int index = 0; index < Math.Min(left.Length, right.Length); index++)
        {
            if (Equal(context, left[index], right[index])) continue;
            return orEqual ? LessOrEqual(context, written, left[index], right[index]) : Less(context, written, left[index], right[index]);
        }

        return orEqual ? left.Length <= right.Length : left.Length < right.Length;
    }

    // -1, 0 or 1; 2 where one of them is not a number.
    private static int CompareNumbers(object left, object right)
    {
        if (left is not double && right is not double)
        {
            Numbers.TryWhole(left, out BigInteger first);
            Numbers.TryWhole(right, out BigInteger second);
            return Math.Sign(first.CompareTo(second));
        }

        if (left is double number && right is double other)
            return double.IsNaN(number) || double.IsNaN(other) ? 2 : number.CompareTo(other) is var order && number == other ? 0 : Math.Sign(order);
        if (right is not double) return CompareNumbers(right, left) is 2 ? 2 : -CompareNumbers(right, left);
        double real = (double)right;
        Numbers.TryWhole(left, out BigInteger whole);
        if (double.IsNaN(real)) return 2;
        if (double.IsInfinity(real)) return real > 0 ? -1 : 1;
        int floor = Math.Sign(whole.CompareTo(new BigInteger(Math.Floor(real))));
        return floor != 0 || Numbers.IsIntegral(real) ? floor : -1;
    }

    // The operands stand in the error as the template wrote them.
    private static Fault Unordered(string written, object? left, object? right)
    {
        if (written[0] == '>') (left, right) = (right, left);
        return Fault.Type($"'{written}' not supported between instances of '{ValueTypes.Name(left)}' and '{ValueTypes.Name(right)}'");
    }
}
