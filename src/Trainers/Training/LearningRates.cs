namespace MLComponents.Trainers;

/// <summary>The learning rate of every step: a linear warm-up, then the schedule.</summary>
/// <remarks>The formulas of the reference's schedules: get_linear_schedule_with_warmup, get_cosine_schedule_with_warmup, get_constant_schedule_with_warmup.</remarks>
/// <param name="Peak">The learning rate after the warm-up.</param>
/// <param name="Schedule">How it goes on.</param>
/// <param name="WarmupSteps">Steps of the warm-up, at least 0.</param>
/// <param name="TotalSteps">All steps, at least 1.</param>
internal readonly record struct LearningRates(double Peak, LearningRateSchedule Schedule, long WarmupSteps, long TotalSteps)
{
    /// <summary>The learning rate of a step, counted from 0.</summary>
    public double At(long step)
    {
        if (step < WarmupSteps) return Peak * step / WarmupSteps;
        double share = (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);
        return Schedule switch
        {
            LearningRateSchedule.Constant => Peak,
            LearningRateSchedule.Linear => Peak * Math.Max(0, 1 - share),
            LearningRateSchedule.Cosine => Peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, share))),
            _ => throw new InvalidOperationException($"Unknown schedule {Schedule}."),
        };
    }
}
