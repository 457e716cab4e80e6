using System.Numerics;

namespace MLComponents.Tokenization;

/// <summary>The methods of lists, tuples, dictionaries and numbers. Those that would change a value are refused.</summary>
internal static class ContainerMethods
{
    private static readonly Signature NoParameters = new("method", "");
    private static readonly Signature One = new("method", "value");
    private static readonly Signature Get = new("get", "key default?");
    private static readonly Signature Index = new("index", "value start? stop?");

    private static readonly HashSet<string> ListChanges = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly HashSet<string> DictChanges = ["clear", "pop", "popitem", "setdefault", "update"];

    /// <summary>Whether a method would change a value.</summary>
    public static bool Changes(object? value, string name) => (value is ListValue && ListChanges.Contains(name)) || (value is DictValue && DictChanges.Contains(name));

    /// <summary>The method of a value with a name; null where there is none.</summary>
    public static CallableValue? Find(object value, string name) => (value, name) switch
    {
        (DictValue dict, "items" or "keys" or "values") => Method(NoParameters, (_, _) => new DictView(dict, name)),
        (DictValue dict, "get") => Method(Get, (_, a) => dict.TryGet(a[0], out object? found) ? found : a.Or(1, null)),
        (DictValue dict, "copy") => Method(NoParameters, (context, _) => dict.Copy(context)),
        (DictValue, "fromkeys") => Method(Get, (context, a) =>
        {
            var made = new DictValue(context);
            foreach (object? key in context.Collect(Sequences.Iterate(a[0]))) made.Set(key, a.Or(1, null));
            return made;
        }),
        (SequenceValue sequence, "count") => Method(One, (context, a) => (long)sequence.Items.Count(item => Comparison.Equal(context, item, a[0]))),
        (SequenceValue sequence, "index") => Method(Index, (context, a) => IndexOf(context, sequence, a)),
        (ListValue list, "copy") => Method(NoParameters, (_, _) => new ListValue([.. list.Items])),
        (RangeValue range, "index") => Method(One, (context, a) => Comparison.Contains(context, range, a[0]) && Numbers.TryIndex(a[0], out long number)
            ? (number - range.Start) / range.Step
            : throw Fault.Value($"{ValueText.Repr(context, a[0])} is not in range")),
        (RangeValue range, "count") => Method(One, (context, a) => Comparison.Contains(context, range, a[0]) ? 1L : 0L),
        (double number, "is_integer") => Method(NoParameters, (_, _) => Numbers.IsIntegral(number)),
        (long or bool or BigInteger, "bit_length") => Method(NoParameters, (_, _) => Numbers.TryWhole(value, out BigInteger number) ? BigInteger.Abs(number).GetBitLength() : 0L),
        _ => null,
    };

    private static FunctionValue Method(Signature signature, Func<RenderContext, BoundArguments, object?> body) => new("builtin_function_or_method", signature, body);

    private static object IndexOf(RenderContext context, SequenceValue sequence, BoundArguments arguments)
    {
        int length = sequence.Items.Length;
        long start = Bound(arguments.Integer(1)), stop = Bound(arguments.Integer(2, length));
        for (long index = start; index < Math.Min(stop, length); index++)
            if (Comparison.Equal(context, sequence.Items[index], arguments[0])) return index;
        throw Fault.Value(sequence is ListValue ? $"{ValueText.Repr(context, arguments[0])} is not in list" : "tuple.index(x): x not in tuple");

        long Bound(long index) => index < 0 ? Math.Max(0, index + length) : index;
    }
}
