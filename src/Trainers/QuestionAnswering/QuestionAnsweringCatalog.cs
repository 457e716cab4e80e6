using MLComponents.Trainers;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Question answering by fine-tuning a decoder language model, in ML.NET's catalogs.</summary>
public static class QuestionAnsweringCatalog
{
    /// <summary>Fine-tunes a decoder language model to answer questions with parts of a text.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="contextColumnName">A text column with what the answer is a part of.</param>
    /// <param name="questionColumnName">A text column with the question.</param>
    /// <param name="trainingAnswerColumnName">A text column with the answer, or a vector of texts with several.</param>
    /// <param name="answerIndexColumnName">An Int32 column with the character of the context where the answer begins, or a vector of them.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static QuestionAnsweringEstimator QuestionAnswering(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        string contextColumnName = "Context", string questionColumnName = "Question", string trainingAnswerColumnName = "TrainingAnswer", string answerIndexColumnName = "AnswerIndex",
        QuestionAnsweringOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), contextColumnName, questionColumnName, trainingAnswerColumnName, answerIndexColumnName, options ?? new());
}
