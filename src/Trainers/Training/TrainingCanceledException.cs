using Microsoft.ML;

namespace MLComponents.Trainers;

/// <summary>Training was cancelled; what was learnt so far is not lost.</summary>
public sealed class TrainingCanceledException : OperationCanceledException
{
    internal TrainingCanceledException(string message, ITransformer model, OperationCanceledException cause)
        : base(message, cause, cause.CancellationToken) => Model = model;

    /// <summary>
    /// The trainer's transformer with the best validated weights so far, or with the weights of the last whole step where nothing was
    /// validated yet. It scores also where the whole context was cancelled. Belongs to whoever catches this.
    /// </summary>
    public ITransformer Model { get; }
}
