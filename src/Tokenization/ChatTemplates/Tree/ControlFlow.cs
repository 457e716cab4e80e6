namespace MLComponents.Tokenization;

internal sealed class IfStatement(IReadOnlyList<(Expression Condition, Statement Body)> branches, Statement? otherwise) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        foreach ((Expression condition, Statement body) in branches)
            if (ValueTypes.IsTrue(condition.Evaluate(context, scope))) return body.Execute(context, scope);
        return otherwise?.Execute(context, scope) ?? Flow.Next;
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class LoopControlStatement(Flow flow) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope) => flow;
}

internal sealed class ForStatement(Target target, Expression source, Expression? condition, bool recursive, Statement body, Statement? otherwise, Position position) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        object? values = source.Evaluate(context, scope);
        if (!recursive) return Run(context, scope, values, 0);
        context.Output.Append(Recurse(context, scope, values, 0));
        return Flow.Next;
    }

    private string Recurse(RenderContext context, Scope scope, object? values, int depth) => context.Call(() => Run(context, scope, values, depth));

    private Flow Run(RenderContext context, Scope scope, object? values, int depth)
    {
        context.Position = position;
        IEnumerable<object?> items = Sequences.Iterate(values);
        if (condition is not null) items = Filter(context, scope, items);
        var loop = new LoopValue(context, condition is null ? values : null, items, depth, recursive ? (inner, level) => Recurse(context, scope, inner, level) : null);
        while (loop.MoveNext(out object? item))
        {
            context.Step();
            context.Position = position;
            var inner = new Scope(scope);
            inner.Set("loop", loop);
            target.Assign(context, inner, item);
            if (body.Execute(context, inner) == Flow.Break) break;
        }

        return loop.Index0 < 0 && otherwise is not null ? otherwise.Execute(context, new Scope(scope)) : Flow.Next;
    }

    private IEnumerable<object?> Filter(RenderContext context, Scope scope, IEnumerable<object?> items)
    {
        foreach (object? item in items)
        {
            context.Step();
            var inner = new Scope(scope);
            target.Assign(context, inner, item);
            if (ValueTypes.IsTrue(condition!.Evaluate(context, inner))) yield return item;
        }
    }
}
