namespace MLComponents.Tokenization;

/// <summary><c>set x = value</c>.</summary>
internal sealed class SetStatement(Target target, Expression value) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        context.Position = value.Position;
        target.Check(scope);
        object? assigned = value.Evaluate(context, scope);
        context.Position = value.Position;
        target.Assign(context, scope, assigned);
        return Flow.Next;
    }
}

/// <summary><c>set x</c> with the text of a block.</summary>
internal sealed class SetBlockStatement(Target target, FilterExpression? filter, Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        var flow = Flow.Next;
        string text = context.Capture(() => flow = body.Execute(context, inner));
        if (flow == Flow.Next) target.Assign(context, scope, filter is null ? text : filter.EvaluateOn(context, inner, text));
        return flow;
    }
}

/// <summary><c>with</c>: variables of a block, whose values come from outside of it.</summary>
internal sealed class WithStatement(IReadOnlyList<(Target Target, Expression Value)> variables, Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        foreach ((Target target, Expression value) in variables) target.Assign(context, inner, value.Evaluate(context, scope));
        return body.Execute(context, inner);
    }
}
