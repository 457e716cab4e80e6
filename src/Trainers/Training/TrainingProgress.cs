namespace MLComponents.Trainers;

/// <summary>Where a training run stands, after a step or after a validation.</summary>
/// <param name="Epoch">The epoch under way or just ended, from 1.</param>
/// <param name="Epochs">How many epochs there are to be.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps there are to be.</param>
/// <param name="Loss">The loss of the step, in nats per row; after a validation the mean over the epoch's steps.</param>
/// <param name="LearningRate">The learning rate of the step.</param>
/// <param name="GradientNorm">The Euclidean norm of the step's gradients before clipping.</param>
/// <param name="TokensPerSecond">Tokens read per second since the start, padding not counted.</param>
/// <param name="Elapsed">The time since the start.</param>
/// <param name="Remaining">The time that the remaining steps will take at this pace.</param>
/// <param name="Validation">The metrics on the validation rows, where this reports a validation; else <see langword="null"/>.</param>
public sealed record TrainingProgress(
    int Epoch,
    int Epochs,
    long Step,
    long Steps,
    double Loss,
    double LearningRate,
    double GradientNorm,
    double TokensPerSecond,
    TimeSpan Elapsed,
    TimeSpan Remaining,
    ValidationResult? Validation);
