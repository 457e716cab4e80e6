namespace MLComponents.Tokenization;

/// <summary>What a value can be assigned to.</summary>
internal abstract class Target
{
    public abstract void Assign(RenderContext context, Scope scope, object? value);

    /// <summary>Fails where the target cannot be assigned to, before its value is computed.</summary>
    public virtual void Check(Scope scope)
    {
    }
}

internal sealed class NameTarget(string name) : Target
{
    public override void Assign(RenderContext context, Scope scope, object? value) => scope.Set(name, value);
}

internal sealed class NamespaceTarget(string space, string attribute) : Target
{
    public override void Check(Scope scope)
    {
        if (!scope.TryGet(space, out object? owner) || owner is not NamespaceValue) throw Fault.Runtime("cannot assign attribute on non-namespace object");
    }

    public override void Assign(RenderContext context, Scope scope, object? value)
    {
        Check(scope);
        scope.TryGet(space, out object? owner);
        ((NamespaceValue)owner!).Set(attribute, value);
    }
}

internal sealed class TupleTarget(IReadOnlyList<Target> targets) : Target
{
    public override void Check(Scope scope)
    {
        foreach (Target target in targets) target.Check(scope);
    }

    public override void Assign(RenderContext context, Scope scope, object? value)
    {
        object?[] items = Unpacking.Unpack(context, value, targets.Count);
        for (int index = 0; index < items.Length; index++) targets[index].Assign(context, scope, items[index]);
    }
}
