namespace MLComponents.Trainers;

/// <summary>The learning rate of every step: a linear warm-up, then the schedule.</summary>
/// <remarks>The formulas of the reference's <c>get_*_schedule</c> functions in transformers/optimization.py.</remarks>
/// <param name="Peak">The learning rate after the warm-up.</param>
/// <param name="Schedule">How it goes on.</param>
/// <param name="WarmupSteps">Steps of the warm-up, at least 0.</param>
/// <param name="TotalSteps">All steps, at least 1.</param>
internal readonly record struct LearningRates(double Peak, LearningRateSchedule Schedule, long WarmupSteps, long TotalSteps)
{
    /// <summary>The time scale of the inverse square root where there is no warm-up to take it from.</summary>
    private const long DefaultTimeScale = 10_000;

    /// <summary>How often <see cref="LearningRateSchedule.CosineWithRestarts"/> begins.</summary>
    public int Cycles { get; init; } = 1;

    /// <summary>The exponent of <see cref="LearningRateSchedule.Polynomial"/>.</summary>
    public double Power { get; init; } = 1;

    /// <summary>What <see cref="LearningRateSchedule.Polynomial"/> ends with.</summary>
    public double Final { get; init; } = 1e-7;

    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < WarmupSteps) return Peak * step / WarmupSteps;
        double share = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        double timeScale = WarmupSteps == 0 ? DefaultTimeScale : WarmupSteps;
        return Schedule switch
        {
            LearningRateSchedule.Constant => Peak,
            LearningRateSchedule.Linear => Peak * Math.Max(0, 1 - share),
            LearningRateSchedule.Cosine => Peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, share))),
            LearningRateSchedule.CosineWithRestarts => share >= 1 ? 0 : Peak * 0.5 * (1 + Math.Cos(Math.PI * (Cycles * share % 1))),
            LearningRateSchedule.Polynomial => share > 1 ? Final : ((Peak - Final) * Math.Pow(1 - share, Power)) + Final,
            LearningRateSchedule.InverseSquareRoot => Peak / Math.Sqrt((step + timeScale - WarmupSteps) / timeScale),
            _ => throw new InvalidOperationException($"Unknown schedule {Schedule}."),
        };
    }
}
