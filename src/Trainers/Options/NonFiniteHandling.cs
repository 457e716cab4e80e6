namespace MLComponents.Trainers;

/// <summary>What becomes of a step whose loss or gradients are not finite numbers.</summary>
public enum NonFiniteHandling
{
    /// <summary>Training ends with a <see cref="NotFiniteNumberException"/> that says at which step and what to change.</summary>
    Stop,

    /// <summary>The weights are left as they are, and the next batch is read; after 20 such steps in a row training ends as with <see cref="Stop"/>. What was skipped is counted in the log.</summary>
    Skip,
}
