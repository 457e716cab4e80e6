namespace MLComponents.Trainers;

/// <summary>How many steps a run has and how fast it learns in each.</summary>
/// <param name="Epochs">Passes over the rows.</param>
/// <param name="Steps">Updates of the weights in all.</param>
/// <param name="Rates">The learning rate of every step.</param>
internal sealed record TrainingPlan(int Epochs, long Steps, LearningRates Rates)
{
    /// <summary>Plans a run over a number of rows.</summary>
    public static TrainingPlan For(long rows, FineTuningOptions options)
    {
        long steps = options.Epochs * ((rows + options.BatchSize - 1) / options.BatchSize);
        long warmup = options.WarmupSteps ?? (long)Math.Ceiling(steps * options.WarmupRatio);
        var rates = new LearningRates(options.PeakLearningRate, options.Schedule, warmup, steps)
        {
            Cycles = options.ScheduleCycles,
            Power = options.PolynomialPower,
            Final = options.FinalLearningRate,
        };
        return new TrainingPlan(options.Epochs, steps, rates);
    }
}
