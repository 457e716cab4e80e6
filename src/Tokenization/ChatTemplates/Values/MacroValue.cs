namespace MLComponents.Tokenization;

/// <summary>A macro, or the body of a call block.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope scope) : CallableValue
{
    public override string? Name => definition.Name;

    public override string TypeName => "Macro";

    public object? Attribute(string name) => name switch
    {
        "name" => definition.Name,
        "arguments" => new TupleValue([.. definition.Parameters.Select(parameter => parameter.Name)]),
        "catch_kwargs" => definition.TakesNamed,
        "catch_varargs" => definition.TakesRest,
        "caller" => definition.TakesCaller,
        _ => null,
    };

    public override object? Call(RenderContext context, Arguments arguments)
    {
        var inner = new Scope(scope);
        var named = new List<KeyValuePair<string, object?>>(arguments.Named);
        int count = definition.Parameters.Count;
        object?[] positional = arguments.Positional;
        var missing = new List<MacroParameter>();
        for (int index = 0; index < count; index++)
        {
            MacroParameter parameter = definition.Parameters[index];
            if (index < positional.Length) inner.Set(parameter.Name, positional[index]);
            else if (Take(named, parameter.Name, out object? value)) inner.Set(parameter.Name, value);
            else missing.Add(parameter);
        }

        bool explicitCaller = definition.Parameters.Any(parameter => parameter.Name == "caller");
        if (definition.TakesCaller && !explicitCaller)
            inner.Set("caller", Take(named, "caller", out object? caller) && caller is not null ? caller : UndefinedValue.Because("No caller defined"));
        if (definition.TakesNamed)
        {
            var rest = new DictValue(context);
            foreach ((string name, object? value) in named) rest.Set(name, value);
            inner.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw Fault.Type(named.Any(pair => pair.Key == "caller")
                ? $"macro {Quoted} was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro {Quoted} takes no keyword argument {ValueText.Quote(named[0].Key)}");
        }

        if (definition.TakesRest) inner.Set("varargs", new TupleValue(positional.Length > count ? positional[count..] : []));
        else if (positional.Length > count) throw Fault.Type($"macro {Quoted} takes not more than {count} argument(s)");
        return context.Call(() =>
        {
            foreach (MacroParameter parameter in missing) inner.Set(parameter.Name, UndefinedValue.OfName(parameter.Name));
            foreach (MacroParameter parameter in missing)
                inner.Set(parameter.Name, parameter.Default is { } value ? value.Evaluate(context, inner) : UndefinedValue.Because($"parameter {ValueText.Quote(parameter.Name)} was not provided"));
            definition.Body.Execute(context, inner);
        });
    }

    private string Quoted => definition.Name is null ? "None" : ValueText.Quote(definition.Name);

    private static bool Take(List<KeyValuePair<string, object?>> named, string name, out object? value)
    {
        int index = named.FindIndex(pair => pair.Key == name);
        value = index < 0 ? null : named[index].Value;
        if (index >= 0) named.RemoveAt(index);
        return index >= 0;
    }
}
