namespace MLComponents.Models;

/// <summary>Says which tokens may come next.</summary>
/// <param name="promptIndex">The index of the prompt.</param>
/// <param name="ids">The tokens of the row so far, padding and prompt included.</param>
/// <returns>Ids, at least one.</returns>
public delegate IEnumerable<int> AllowedTokens(int promptIndex, ReadOnlySpan<int> ids);
