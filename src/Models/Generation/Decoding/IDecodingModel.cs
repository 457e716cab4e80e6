namespace MLComponents.Models;

/// <summary>
/// What generation asks of a model. Any number of threads may make batches; a batch belongs to one thread at a time, and batches share nothing but the weights.
/// </summary>
internal interface IDecodingModel
{
    /// <summary>What the model is.</summary>
    DecoderConfig Config { get; }

    /// <summary>A batch that has read nothing yet.</summary>
    /// <param name="rows">The number of rows; 0 for a batch that others join.</param>
    /// <param name="canForget">Whether <see cref="IDecodingBatch.Forget"/> will be used: sliding layers then hold all tokens.</param>
    IDecodingBatch NewBatch(int rows, bool canForget);
}
