namespace MLComponents.Transforms;

/// <summary>How well questions were answered, as the official evaluation of SQuAD defines it.</summary>
/// <param name="ExactMatch">The part of the answers that equal a true one, both normalised, 0 to 1.</param>
/// <param name="F1">The mean over the questions of the best harmonic mean of precision and recall of words against a true answer, 0 to 1.</param>
/// <param name="Questions">How many questions there are.</param>
public sealed record QuestionAnsweringMetrics(double ExactMatch, double F1, long Questions);
