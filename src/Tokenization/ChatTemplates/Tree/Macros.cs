namespace MLComponents.Tokenization;

/// <summary>A parameter of a macro.</summary>
internal sealed record MacroParameter(string Name, Expression? Default);

/// <summary>A macro as it is written: what it takes beyond its parameters follows from the names that its body uses.</summary>
internal sealed record MacroDefinition(string? Name, IReadOnlyList<MacroParameter> Parameters, Statement Body, bool TakesCaller, bool TakesRest, bool TakesNamed);

internal sealed class MacroStatement(MacroDefinition definition) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        scope.Set(definition.Name!, new MacroValue(definition, scope));
        return Flow.Next;
    }
}

/// <summary>A call with a block of text that the macro can call.</summary>
internal sealed class CallBlockStatement(CallExpression call, MacroDefinition body) : Statement
{
    public override Flow Execute(RenderContext context, Scope scope)
    {
        context.Output.Append(ValueText.Str(context, call.Evaluate(context, scope, new MacroValue(body, scope))));
        return Flow.Next;
    }
}
