namespace MLComponents.Models;

/// <summary>Says when a row ends. Asked after every new token; several threads may ask at once.</summary>
/// <param name="promptIndex">The index of the prompt.</param>
/// <param name="ids">The tokens of the row so far, padding and prompt included.</param>
/// <returns>Whether the row ends here.</returns>
public delegate bool StoppingCriterion(int promptIndex, ReadOnlySpan<int> ids);
