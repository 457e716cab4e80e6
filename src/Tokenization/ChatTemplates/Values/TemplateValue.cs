namespace MLComponents.Tokenization;

/// <summary>The variable <c>self</c>, whose attributes are the blocks of the template.</summary>
internal sealed class TemplateValue
{
    public static readonly TemplateValue Instance = new();

    private TemplateValue()
    {
    }

    /// <summary>What renders a block; null where there is none of that name.</summary>
    public static object? Block(RenderContext context, string name) => context.Blocks.TryGetValue(name, out BlockStatement? block)
        ? new FunctionValue("BlockReference", new Signature(name, ""), (caller, _) => caller.Call(() => block.Execute(caller, caller.Global)))
        : null;
}
