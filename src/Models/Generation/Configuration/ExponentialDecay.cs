namespace MLComponents.Models;

/// <summary>A growing reward for ending: from the token <see cref="Start"/> on, <c>|score| · (Factor^n − 1)</c> is added to the scores of the end, n tokens later.</summary>
/// <param name="Start">After how many new tokens it begins.</param>
/// <param name="Factor">How fast it grows; above 1.</param>
public sealed record ExponentialDecay(int Start, double Factor);
