namespace MLComponents.Trainers;

/// <summary>A text as the model reads it, and the numbers that its outputs are to be: 0 or 1 per label, or the one number of a regression.</summary>
/// <param name="Ids">The token ids, at least one.</param>
/// <param name="Targets">As many as the model has outputs.</param>
internal readonly record struct TargetedText(int[] Ids, float[] Targets);
