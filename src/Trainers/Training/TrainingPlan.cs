namespace MLComponents.Trainers;

/// <summary>How many steps a run has and how fast it learns in each.</summary>
/// <param name="Epochs">Passes over the rows.</param>
/// <param name="Steps">Updates of the weights in all.</param>
/// <param name="Rates">The learning rate of every step.</param>
internal sealed record TrainingPlan(int Epochs, long Steps, LearningRates Rates)
{
    /// <summary>Plans a run.</summary>
    /// <param name="task">The job.</param>
    /// <param name="data">The rows; read once more where steps hold so many tokens, as then their lengths decide how many steps there are.</param>
    /// <param name="options">How to train.</param>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    public static TrainingPlan For<TRow>(TrainingTask<TRow> task, TrainingData<TRow> data, FineTuningOptions options, Action checkAlive) =>
        options.TokensPerUpdate is null ? For(data.Count, options) : For([.. data.Training.Read(checkAlive).Select(task.LengthOf)], options);

    /// <summary>Plans a run over a number of rows, of which a number is a step.</summary>
    public static TrainingPlan For(long rows, FineTuningOptions options) => OfSteps(options.Epochs * ((rows + options.BatchSize - 1) / options.BatchSize), options);

    /// <summary>Plans a run over rows of some lengths: the batches of every epoch are made of the lengths, to be counted, as they will be made of the rows.</summary>
    public static TrainingPlan For(IReadOnlyList<int> lengths, FineTuningOptions options)
    {
        var pool = new ShufflePool<int>(options.ShufflePoolSize, BatchLimit.Of(options), static length => length);
        return OfSteps(Enumerable.Range(1, options.Epochs).Sum(epoch => pool.Batches(lengths, OrderOf(options.Seed, epoch)).LongCount()), options);
    }

    /// <summary>What shuffles the rows of an epoch.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    public static Random OrderOf(int seed, int epoch) => new(unchecked((int)(((uint)seed * 0x9E3779B1u) ^ ((uint)epoch * 0x85EBCA6Bu))));

    private static TrainingPlan OfSteps(long steps, FineTuningOptions options)
    {
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
