namespace MLComponents.Models;

/// <summary>One token of a step.</summary>
/// <param name="Id">The token id.</param>
/// <param name="Row">Its row.</param>
/// <param name="Position">Its place in the row, from 0.</param>
/// <param name="Output">Where its logits go, counted in vocabularies; -1 if nobody wants them.</param>
internal readonly record struct FusedEntry(int Id, int Row, int Position, int Output);
