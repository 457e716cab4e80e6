namespace MLComponents.Trainers.Tests;

public class LearningRatesTests
{
    // By hand from get_linear_schedule_with_warmup, get_cosine_schedule_with_warmup and get_constant_schedule_with_warmup.
    [Theory]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 0, 0)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 1, 1.0 / 3)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 3, 1)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 4, 16.0 / 17)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 19, 1.0 / 17)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 20, 0)]
    [InlineData(LearningRateSchedule.Linear, 3, 20, 25, 0)]
    [InlineData(LearningRateSchedule.Linear, 0, 4, 0, 1)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 1, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 2, 1)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 4, 0.8535533905932737)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 6, 0.5)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 9, 0.03806023374435663)]
    [InlineData(LearningRateSchedule.Cosine, 2, 10, 10, 0)]
    [InlineData(LearningRateSchedule.Constant, 4, 10, 3, 0.75)]
    [InlineData(LearningRateSchedule.Constant, 4, 10, 4, 1)]
    [InlineData(LearningRateSchedule.Constant, 4, 10, 9, 1)]
    [InlineData(LearningRateSchedule.Linear, 5, 5, 4, 0.8)]
    [InlineData(LearningRateSchedule.Cosine, 5, 5, 5, 1)]
    public void Rates_are_those_of_the_references_schedules(LearningRateSchedule schedule, long warmup, long total, long step, double share)
    {
        Assert.Equal(share * 0.002, new LearningRates(0.002, schedule, warmup, total).At(step), 1e-12);
    }

    // By hand from get_cosine_with_hard_restarts_schedule_with_warmup (2 cycles), get_polynomial_decay_schedule_with_warmup (power 2, end 0.1) and
    // get_inverse_sqrt_schedule.
    [Theory]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 1, 0.5)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 2, 1)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 3, 0.8535533905932737)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 5, 0.14644660940672627)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 6, 1)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 9, 0.14644660940672627)]
    [InlineData(LearningRateSchedule.CosineWithRestarts, 2, 10, 10, 0)]
    [InlineData(LearningRateSchedule.Polynomial, 2, 10, 1, 0.5)]
    [InlineData(LearningRateSchedule.Polynomial, 2, 10, 2, 1)]
    [InlineData(LearningRateSchedule.Polynomial, 2, 10, 6, 0.325)]
    [InlineData(LearningRateSchedule.Polynomial, 2, 10, 10, 0.1)]
    [InlineData(LearningRateSchedule.Polynomial, 2, 10, 11, 0.1)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 4, 10, 2, 0.5)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 4, 10, 4, 1)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 4, 10, 5, 0.8944271909999159)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 4, 10, 16, 0.5)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 0, 10, 0, 1)]
    [InlineData(LearningRateSchedule.InverseSquareRoot, 0, 10, 30000, 0.5)]
    public void Schedules_with_parameters_are_the_references(LearningRateSchedule schedule, long warmupSteps, long totalSteps, long step, double expected)
    {
        var rates = new LearningRates(1, schedule, warmupSteps, totalSteps) { Cycles = 2, Power = 2, Final = 0.1 };
        Assert.Equal(expected, rates.At(step), 1e-12);
        Assert.Equal(3e-4 * expected, (rates with { Peak = 3e-4, Final = 3e-5 }).At(step), 1e-15);
    }

    [Fact]
    public void Warm_up_steps_replace_the_ratio()
    {
        var options = new SequenceClassificationOptions
        {
            WarmupSteps = 7, WarmupRatio = 0.5, Schedule = LearningRateSchedule.Polynomial, PolynomialPower = 3, FinalLearningRate = 1e-6, ScheduleCycles = 4, LearningRate = 0.5,
        };
        Assert.Equal(new LearningRates(0.5, LearningRateSchedule.Polynomial, 7, 21) { Cycles = 4, Power = 3, Final = 1e-6 }, TrainingPlan.For(100, options).Rates);
    }

    [Theory]
    [InlineData(100, 16, 3, 0.1, 21, 3)]
    [InlineData(96, 16, 1, 0.1, 6, 1)]
    [InlineData(1, 16, 2, 0, 2, 0)]
    [InlineData(10, 1, 1, 1, 10, 10)]
    public void A_plan_counts_partial_batches_and_rounds_the_warm_up_up(long rows, int batchSize, int epochs, double warmupRatio, long steps, long warmupSteps)
    {
        var options = new SequenceClassificationOptions { BatchSize = batchSize, Epochs = epochs, WarmupRatio = warmupRatio, Schedule = LearningRateSchedule.Cosine, LearningRate = 0.5 };
        TrainingPlan plan = TrainingPlan.For(rows, options);
        Assert.Equal((epochs, steps), (plan.Epochs, plan.Steps));
        Assert.Equal(new LearningRates(0.5, LearningRateSchedule.Cosine, warmupSteps, steps), plan.Rates);
    }
}
