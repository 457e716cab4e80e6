using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>SequenceClassification</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class SequenceClassificationScoringCatalog
{
    /// <summary>Classifies texts with a Hugging Face folder that is already fine-tuned; to fine-tune one, use the trainer of the same name.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="modelFolder">A folder with config.json, whose id2label names the labels, model.safetensors with a classification head, and tokenizer.json.</param>
    /// <param name="settings">Columns, lengths and batches; null for the defaults: column "Text", the model's context.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="SequenceClassificationTransformer"/>, multi-class.</remarks>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken.</exception>
    public static SequenceClassificationScoringEstimator SequenceClassification(this TransformsCatalog.TextTransforms catalog, string modelFolder,
        SequenceClassificationSettings? settings = null) => new(MLNetInterop.EnvironmentOf(catalog), modelFolder, settings);
}
