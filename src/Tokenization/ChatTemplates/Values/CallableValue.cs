namespace MLComponents.Tokenization;

/// <summary>Something that a template can call.</summary>
internal abstract class CallableValue
{
    public abstract string? Name { get; }

    public abstract string TypeName { get; }

    public abstract object? Call(RenderContext context, Arguments arguments);
}

/// <summary>A function or method of this engine.</summary>
internal sealed class FunctionValue(string typeName, Signature signature, Func<RenderContext, BoundArguments, object?> body) : CallableValue
{
    public override string Name => signature.Name;

    public override string TypeName => typeName;

    public override object? Call(RenderContext context, Arguments arguments) => body(context, signature.Bind(arguments));
}
