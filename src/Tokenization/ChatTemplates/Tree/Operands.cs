namespace MLComponents.Tokenization;

internal sealed class ConstantExpression(object? value, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope) => value;
}

internal sealed class NameExpression(string name, Position position) : Expression(position)
{
    public string Name => name;

    public override object? Evaluate(RenderContext context, Scope scope) =>
        scope.TryGet(name, out object? value) ? value : Globals.Find(name) ?? (name == "self" ? TemplateValue.Instance : (object)UndefinedValue.OfName(name));
}

internal sealed class ListExpression(IReadOnlyList<Expression> items, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        context.Charge(items.Count);
        return new ListValue([.. items.Select(item => item.Evaluate(context, scope))]);
    }
}

internal sealed class TupleExpression(IReadOnlyList<Expression> items, Position position) : Expression(position)
{
    public IReadOnlyList<Expression> Items => items;

    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        context.Charge(items.Count);
        return new TupleValue([.. items.Select(item => item.Evaluate(context, scope))]);
    }
}

internal sealed class DictExpression(IReadOnlyList<(Expression Key, Expression Value)> pairs, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        Enter(context);
        context.Charge(pairs.Count);
        var dict = new DictValue(context);
        foreach ((Expression key, Expression value) in pairs) dict.Set(key.Evaluate(context, scope), value.Evaluate(context, scope));
        return dict;
    }
}

/// <summary><c>target.name</c>.</summary>
internal sealed class AttributeExpression(Expression target, string name, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        object? value = target.Evaluate(context, scope);
        Enter(context);
        return Members.Attribute(context, value, name);
    }
}

/// <summary><c>target[key]</c>.</summary>
internal sealed class ItemExpression(Expression target, Expression key, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        object? value = target.Evaluate(context, scope), at = key.Evaluate(context, scope);
        Enter(context);
        return Members.Item(context, value, at);
    }
}

/// <summary><c>target[start:stop:step]</c>.</summary>
internal sealed class SliceExpression(Expression target, Expression? start, Expression? stop, Expression? step, Position position) : Expression(position)
{
    public override object? Evaluate(RenderContext context, Scope scope)
    {
        object? value = target.Evaluate(context, scope);
        object? from = start?.Evaluate(context, scope), to = stop?.Evaluate(context, scope), by = step?.Evaluate(context, scope);
        Enter(context);
        return Sequences.Slice(context, value, from, to, by);
    }
}
