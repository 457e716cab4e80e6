namespace MLComponents.Tokenization;

/// <summary>How things go on behind a statement.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

/// <summary>A part of a template that does something.</summary>
internal abstract class Statement
{
    public abstract Flow Execute(RenderContext context, Scope scope);
}

/// <summary>Statements one behind the other.</summary>
internal sealed class StatementList(IReadOnlyList<Statement> statements) : Statement
{
    private readonly Statement[] _statements = [.. statements];

    public override Flow Execute(RenderContext context, Scope scope)
    {
        foreach (Statement statement in _statements)
        {
            context.Step();
            if (statement.Execute(context, scope) is not Flow.Next and var flow) return flow;
        }

        return Flow.Next;
    }
}
