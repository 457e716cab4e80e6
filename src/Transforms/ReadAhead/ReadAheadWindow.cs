namespace MLComponents.Transforms;

/// <summary>Rows that were read ahead, and what becomes of them.</summary>
internal abstract class ReadAheadWindow<TInput, TResult>
{
    /// <summary>How many rows it holds.</summary>
    public abstract int Count { get; }

    /// <summary>The result of a row; computed, with others, when it is first asked for.</summary>
    public abstract TResult this[int row] { get; }

    /// <summary>Adds a row.</summary>
    public abstract void Add(TInput input);

    /// <summary>Forgets all rows.</summary>
    public abstract void Clear();

    /// <summary>Tells the log what happened to rows since the last time, if anything did.</summary>
    /// <returns>Whether there was something to tell.</returns>
    public abstract bool Tell();
}
