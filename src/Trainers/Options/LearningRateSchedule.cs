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
}
