namespace MLComponents.Transforms;

/// <summary>A transformer that is read from a model file.</summary>
/// <typeparam name="TSelf">The transformer.</typeparam>
internal interface IStoredTransformer<TSelf>
    where TSelf : IStoredTransformer<TSelf>
{
    /// <summary>What its part of a model file says of itself.</summary>
    static abstract MLNetInterop.ModelFormat Format { get; }

    /// <summary>Reads what <c>Save</c> wrote, onto the device that the environment asks for.</summary>
    /// <exception cref="FormatException">An entry is missing or damaged.</exception>
    static abstract TSelf Read(ModelSource source);
}
