namespace MLComponents.Trainers;

/// <summary>A text as the model reads it, and what it is to be called.</summary>
/// <param name="Ids">The token ids, at least one.</param>
/// <param name="Label">The label's index, from 0.</param>
internal readonly record struct ClassifiedText(int[] Ids, int Label);
