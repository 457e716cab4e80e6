namespace MLComponents.Models;

/// <summary>Tokens of one row, one behind the other.</summary>
/// <param name="Row">The row.</param>
/// <param name="First">The first of them among the tokens of the step.</param>
/// <param name="Count">How many.</param>
internal readonly record struct FusedSpan(int Row, int First, int Count);
