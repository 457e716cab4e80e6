namespace MLComponents.Models;

/// <summary>How the number of tokens that a draft model proposes changes.</summary>
public enum AssistantSchedule
{
    /// <summary>Not at all.</summary>
    Constant,

    /// <summary>Two more where all were right, else one less, down to 1.</summary>
    Heuristic,

    /// <summary>As <see cref="Heuristic"/>, beginning anew with every call. Here both do, since calls share nothing.</summary>
    HeuristicTransient,
}
