namespace MLComponents.Transforms;

/// <summary>The added columns of the row that an input stands on; each value is computed at most once per row.</summary>
internal abstract class RowComputation : IDisposable
{
    /// <summary>The getter, a <see cref="Microsoft.ML.ValueGetter{TValue}"/>, of an added column by its index in the output schema.</summary>
    public abstract Delegate Getter(int outputColumn);

    /// <summary>Called once when the rows are done with, for what has to be reported or released.</summary>
    public virtual void Dispose()
    {
    }
}
