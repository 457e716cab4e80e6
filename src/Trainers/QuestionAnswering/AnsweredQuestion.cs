using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>A question with its context and its answer.</summary>
/// <param name="Asked">The question and the context.</param>
/// <param name="Answer">The answer; empty where the context has none.</param>
/// <param name="Start">Where in the context it begins, in UTF-16 characters.</param>
internal sealed record AnsweredQuestion(QuestionAndContext Asked, string Answer, int Start);
