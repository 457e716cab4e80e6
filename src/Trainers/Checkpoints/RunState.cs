namespace MLComponents.Trainers;

/// <summary>Where a run stands, beside its weights and the states of its optimizer.</summary>
internal sealed class RunState
{
    /// <summary>Most tokens that are read at once: as asked for, or what memory allowed when the run began.</summary>
    public int TokensAtOnce { get; set; }

    /// <summary>Most memory for what frozen layers make of the rows, in bytes: as asked for, or what memory allowed when the run began.</summary>
    public long PrefixBytes { get; set; }

    /// <summary>The epoch under way, from 1; one more than there are when all is done.</summary>
    public int Epoch { get; set; } = 1;

    /// <summary>Batches of it that have been read.</summary>
    public int Batch { get; set; }

    /// <summary>Updates of the weights so far, skipped ones included.</summary>
    public long Step { get; set; }

    /// <summary>Tokens read so far.</summary>
    public long Tokens { get; set; }

    /// <summary>The sum of the losses of the epoch's steps.</summary>
    public double EpochLoss { get; set; }

    /// <summary>How many steps the sum is over.</summary>
    public long EpochSteps { get; set; }

    /// <summary>The loss of the last step.</summary>
    public double Loss { get; set; }

    /// <summary>The learning rate of the last step.</summary>
    public double LearningRate { get; set; }

    /// <summary>The gradient norm of the last step.</summary>
    public double GradientNorm { get; set; }

    /// <summary>The step after which was validated last.</summary>
    public long ValidatedStep { get; set; }

    /// <summary>The best value so far of the metric that is watched, turned so that more is better.</summary>
    public double? BestMerit { get; set; }

    /// <summary>Validations since then.</summary>
    public int ValidationsWithoutImprovement { get; set; }

    /// <summary>Whether training has ended for want of improvement.</summary>
    public bool StoppedEarly { get; set; }

    /// <summary>Steps that were skipped for numbers that are not finite.</summary>
    public long Skipped { get; set; }

    /// <summary>How many of them in a row up to now.</summary>
    public int SkippedInARow { get; set; }

    /// <summary>The time that processes before this one have spent.</summary>
    public TimeSpan Elapsed { get; set; }

    /// <summary>Ends an epoch.</summary>
    public void NextEpoch()
    {
        Epoch++;
        (Batch, EpochLoss, EpochSteps) = (0, 0, 0);
    }
}
