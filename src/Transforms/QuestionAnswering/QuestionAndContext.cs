namespace MLComponents.Transforms;

/// <summary>A question, and the text that its answer is a part of.</summary>
internal readonly record struct QuestionAndContext(ReadOnlyMemory<char> Question, ReadOnlyMemory<char> Context);
