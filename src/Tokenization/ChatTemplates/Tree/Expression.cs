namespace MLComponents.Tokenization;

/// <summary>A part of a template that has a value.</summary>
internal abstract class Expression(Position position)
{
    public Position Position => position;

    public abstract object? Evaluate(RenderContext context, Scope scope);

    /// <summary>Counts a step and remembers the place, for errors.</summary>
    protected void Enter(RenderContext context)
    {
        context.Step();
        context.Position = position;
    }
}
