namespace MLComponents.Models;

/// <summary>Tokens that were proposed.</summary>
/// <param name="Ids">The tokens.</param>
/// <param name="Scores">For each the scores that it was drawn by; null where it was not drawn.</param>
internal sealed record Candidates(int[] Ids, float[][]? Scores);
