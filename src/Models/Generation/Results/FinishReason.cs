namespace MLComponents.Models;

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>Its greatest length was reached.</summary>
    Length,

    /// <summary>The model ended it, by one of the ids that do so.</summary>
    EndOfText,

    /// <summary>A stop string appeared.</summary>
    StopString,

    /// <summary>Time was up.</summary>
    Time,

    /// <summary>It is complete: nothing may follow that <see cref="GenerationInput.Constraint"/> allows.</summary>
    Complete,

    /// <summary>A <see cref="StoppingCriterion"/> of the caller's said so.</summary>
    Criterion,
}
