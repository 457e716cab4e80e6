using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>QuestionAnswering</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class QuestionAnsweringScoringCatalog
{
    /// <summary>Answers questions by parts of a text, with a Hugging Face folder that is already fine-tuned; to fine-tune one, use the trainer of the same name.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="modelFolder">A folder with config.json, model.safetensors with a question answering head, and tokenizer.json.</param>
    /// <param name="settings">Columns, windows and batches; null for the defaults: columns "Context" and "Question", windows of 384 tokens.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="QuestionAnsweringTransformer"/>.</remarks>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken.</exception>
    public static QuestionAnsweringScoringEstimator QuestionAnswering(this TransformsCatalog.TextTransforms catalog, string modelFolder,
        QuestionAnsweringSettings? settings = null) => new(MLNetInterop.EnvironmentOf(catalog), modelFolder, settings);
}
