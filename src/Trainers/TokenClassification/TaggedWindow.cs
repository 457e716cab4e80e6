namespace MLComponents.Trainers;

/// <summary>A window of a text as the model reads it, and what its tokens are to be called.</summary>
/// <param name="Ids">The token ids, at least one.</param>
/// <param name="Positions">The tokens that have a label, in order; at least one.</param>
/// <param name="Labels">As many labels, their indexes from 0.</param>
/// <param name="Continues">Whether the window before it is of the same text.</param>
internal sealed record TaggedWindow(int[] Ids, int[] Positions, int[] Labels, bool Continues);
