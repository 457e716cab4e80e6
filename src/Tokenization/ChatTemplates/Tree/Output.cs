namespace MLComponents.Tokenization;

/// <summary>Text of the template.</summary>
internal sealed class TextStatement(string text) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        context.Output.Append(text);
        return Flow.Next;
    }
}

/// <summary>A value that is printed.</summary>
internal sealed class PrintStatement(IReadOnlyList<Expression> values) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        foreach (Expression value in values) context.Output.Append(ValueText.Str(context, value.Evaluate(context, scope)));
        return Flow.Next;
    }
}

/// <summary>What filters make of the text of a block.</summary>
internal sealed class FilterBlockStatement(FilterExpression filter, Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        var inner = new Scope(scope);
        var flow = Flow.Next;
        string text = context.Capture(() => flow = body.Execute(context, inner));
        if (flow == Flow.Next) context.Output.Append(ValueText.Str(context, filter.EvaluateOn(context, inner, text)));
        return flow;
    }
}

/// <summary>Text that the model is to have written, whose place is remembered.</summary>
internal sealed class GenerationStatement(Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        string text = context.Call(() => body.Execute(context, new Scope(scope)));
        context.Generations.Add((context.Root.CountCodePoints(), CodePointText.Length(text)));
        context.Output.Append(text);
        return Flow.Next;
    }
}

/// <summary>A named block. It sees the variables of the template, not those of loops around it.</summary>
internal sealed class BlockStatement(bool scoped, Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        body.Execute(context, new Scope(scoped ? scope : context.Global));
        return Flow.Next;
    }
}

/// <summary>A tag that needs other templates.</summary>
internal sealed class OtherTemplateStatement(Expression name) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        name.Evaluate(context, scope);
        context.Position = name.Position;
        throw Fault.Type("no loader for this environment specified");
    }
}

/// <summary>Escaping of HTML, which only can be switched off here.</summary>
internal sealed class AutoescapeStatement(Expression value, Statement body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        bool escapes = ValueTypes.IsTrue(value.Evaluate(context, scope));
        context.Position = value.Position;
        return escapes ? throw Fault.Refused("autoescape") : body.Execute(context, new Scope(scope));
    }
}
