namespace MLComponents.Transforms;

/// <summary>A model that scores rows: what every transformer knows of it.</summary>
internal interface IModelScorer : IDisposable
{
    /// <summary>Writes everything needed to build the scorer again, as entries of a model file.</summary>
    /// <param name="saveEntry">Adds an entry: its name, and what writes its content.</param>
    void Save(Action<string, Action<Stream>> saveEntry);
}
