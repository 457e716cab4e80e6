namespace MLComponents.Tokenization;

/// <summary>The arguments that a call is written with.</summary>
internal sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Rest, Expression? RestNamed)
{
    public static readonly ArgumentList None = new([], [], null, null);

    public Arguments Evaluate(RenderContext context, Scope scope)
    {
        if (ReferenceEquals(this, None)) return Arguments.None;
        object?[] positional = Positional.Count == 0 ? [] : [.. Positional.Select(argument => argument.Evaluate(context, scope))];
        if (Rest?.Evaluate(context, scope) is { } rest) positional = [.. positional, .. context.Collect(Sequences.Iterate(rest))];
        if (Named.Count == 0 && RestNamed is null) return new Arguments(positional, []);
        var named = new List<KeyValuePair<string, object?>>();
        foreach ((string name, Expression value) in Named) named.Add(KeyValuePair.Create(name, value.Evaluate(context, scope)));
        if (RestNamed is not null)
        {
            if (RestNamed.Evaluate(context, scope) is not DictValue dict) throw Fault.Type("argument after ** must be a mapping");
            foreach ((object? key, object? value) in dict.Pairs) named.Add(KeyValuePair.Create(ValueTypes.Text(key) ?? throw Fault.Type("keywords must be strings"), value));
        }

        for (int index = 1; index < named.Count; index++)
            if (named.FindIndex(pair => pair.Key == named[index].Key) < index) throw Fault.Type($"got multiple values for keyword argument '{named[index].Key}'");
        return new Arguments(positional, named);
    }
}

internal sealed class CallExpression(Expression target, ArgumentList arguments, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope) => Evaluate(context, scope, caller: null);

    /// <summary>Calls with a call block's body as the argument <c>caller</c>.</summary>
    public object? Evaluate(RenderContext context, Scope scope, MacroValue? caller)
    {
        object? function = target.Evaluate(context, scope);
        Arguments given = arguments.Evaluate(context, scope);
        if (caller is not null) given = given with { Named = [.. given.Named, KeyValuePair.Create("caller", (object?)caller)] };
        Enter(context);
        return function switch
        {
            CallableValue callable => callable.Call(context, given),
            UndefinedValue undefined => throw undefined.Failure(),
            _ => throw Fault.Type($"'{ValueTypes.Name(function)}' object is not callable"),
        };
    }
}

internal sealed class FilterExpression(Expression? target, string name, ArgumentList arguments, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope) => Apply(context, scope, target!.Evaluate(context, scope));

    /// <summary>Applies a chain of filters that begins with a captured text.</summary>
    public object? EvaluateOn(RenderContext context, Scope scope, object? value) =>
        Apply(context, scope, target is FilterExpression before ? before.EvaluateOn(context, scope, value) : value);

    private object? Apply(RenderContext context, Scope scope, object? value)
    {
        Arguments given = arguments.Evaluate(context, scope);
        Enter(context);
        return FilterTable.Apply(context, name, value, given);
    }
}

internal sealed class TestExpression(Expression target, string name, ArgumentList arguments, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        object? value = target.Evaluate(context, scope);
        Arguments given = arguments.Evaluate(context, scope);
        Enter(context);
        return TestTable.Apply(context, name, value, given);
    }
}
