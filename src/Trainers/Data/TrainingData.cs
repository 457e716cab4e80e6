namespace MLComponents.Trainers;

/// <summary>What a run reads.</summary>
/// <param name="Training">The rows to learn from.</param>
/// <param name="Count">How many these are, at least 1.</param>
/// <param name="Validation">The rows to measure on, or null.</param>
/// <param name="MaxLength">Most tokens of a text: what longer ones were cut to.</param>
internal sealed record TrainingData<TRow>(EncodedRows<TRow> Training, long Count, EncodedRows<TRow>? Validation, int MaxLength);
