namespace MLComponents.Tokenization;

/// <summary>Attributes and items of values, with the rules of Jinja's sandbox.</summary>
internal static class Members
{
    /// <summary>What stands for a None that is there, where null says that nothing is.</summary>
    public static readonly object None = new();

    // What every Python object has, and no template may touch.
    private static readonly HashSet<string> Internal =
    [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__", "__gt__", "__hash__", "__init__",
        "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__",
        "__str__", "__subclasshook__", "__getstate__",
    ];

    private static readonly Dictionary<Type, string[]> FurtherInternal = new()
    {
        [typeof(string)] = ["__len__", "__iter__", "__getitem__", "__add__", "__mul__", "__rmul__", "__mod__", "__rmod__", "__contains__", "__getnewargs__"],
        [typeof(ListValue)] = ["__len__", "__iter__", "__getitem__", "__setitem__", "__delitem__", "__add__", "__iadd__", "__mul__", "__imul__", "__rmul__", "__contains__", "__reversed__", "__class_getitem__"],
        [typeof(TupleValue)] = ["__len__", "__iter__", "__getitem__", "__add__", "__mul__", "__rmul__", "__contains__", "__getnewargs__", "__class_getitem__"],
        [typeof(DictValue)] = ["__len__", "__iter__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__reversed__", "__or__", "__ior__", "__ror__", "__class_getitem__"],
        [typeof(FunctionValue)] = ["__call__", "__name__", "__qualname__", "__self__", "__globals__", "__code__", "__module__", "__closure__", "__defaults__", "__dict__"],
    };

    /// <summary><c>value.name</c>: the attribute, else the item, else undefined.</summary>
    public static object? Attribute(RenderContext context, object? value, string name)
    {
        if (TryAttribute(context, value, name, out object? found)) return found;
        return Sequences.TryItem(value, name, out found) ? found : UndefinedValue.OfMember(value, name);
    }

    /// <summary><c>value[key]</c>: the item, else the attribute, else undefined.</summary>
    public static object? Item(RenderContext context, object? value, object? key)
    {
        if (Sequences.TryItem(value, key, out object? found)) return found;
        return ValueTypes.Text(key) is { } name && TryAttribute(context, value, name, out found) ? found : UndefinedValue.OfMember(value, ValueTypes.Text(key) ?? key);
    }

    /// <summary>An attribute alone, for the filter attr.</summary>
    public static bool TryAttribute(RenderContext context, object? value, string name, out object? found)
    {
        if (value is UndefinedValue undefined)
        {
            found = IsInternal(value, name) ? UndefinedValue.Unsafe(value, name) : throw undefined.Failure();
            return true;
        }

        if (value is NamespaceValue space) return space.Attributes.TryGet(name, out found);
        found = value switch
        {
            _ when IsInternal(value, name) || ContainerMethods.Changes(value, name) => UndefinedValue.Unsafe(value, name),
            string or MarkupText => StringMethods.Find(value, name),
            LoopValue loop => loop.Attribute(name),
            GroupValue group when name is "grouper" or "list" => group.Items[name == "list" ? 1 : 0] ?? None,
            CyclerValue cycler => cycler.Attribute(name),
            TemplateValue => TemplateValue.Block(context, name),
            MacroValue macro => macro.Attribute(name),
            double or long or bool when name is "real" => Operators.Plus(value),
            double when name is "imag" => 0.0,
            long or bool when name is "imag" => 0L,
            long or bool when name is "numerator" => Operators.Plus(value),
            long or bool when name is "denominator" => 1L,
            RangeValue range when name is "start" or "stop" or "step" => name == "start" ? range.Start : name == "stop" ? range.Stop : range.Step,
            null => null,
            _ => ContainerMethods.Find(value, name),
        };
        if (found is null) return false;
        if (ReferenceEquals(found, None)) found = null;
        return true;
    }

    private static bool IsInternal(object? value, string name)
    {
        if (!name.StartsWith("__", StringComparison.Ordinal)) return false;
        return Internal.Contains(name) || (value is not null && FurtherInternal.TryGetValue(value.GetType(), out string[]? further) && further.Contains(name));
    }
}
