namespace MLComponents.Trainers;

/// <summary>How the learning rate goes on after the warm-up, in which it rises linearly from zero.</summary>
public enum LearningRateSchedule
{
    /// <summary>Falls linearly to zero at the last step.</summary>
    Linear,

    /// <summary>Falls along half a cosine to zero at the last step.</summary>
    Cosine,

    /// <summary>Stays as it is.</summary>
    Constant,

    /// <summary>Falls along half a cosine to zero and begins anew, <see cref="FineTuningOptions.ScheduleCycles"/> times.</summary>
    CosineWithRestarts,

    /// <summary>Falls to <see cref="FineTuningOptions.FinalLearningRate"/> with the <see cref="FineTuningOptions.PolynomialPower"/>-th power of the share of the steps to go.</summary>
    Polynomial,

    /// <summary>Falls with the square root of the number of steps.</summary>
    InverseSquareRoot,
}
