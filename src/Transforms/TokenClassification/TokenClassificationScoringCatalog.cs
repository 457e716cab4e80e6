using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>TokenClassification</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class TokenClassificationScoringCatalog
{
    /// <summary>Labels the tokens of texts with a Hugging Face folder that is already fine-tuned; to fine-tune one, use the trainer of the same name.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="modelFolder">A folder with config.json, whose id2label names the labels, model.safetensors with a token classification head, and tokenizer.json.</param>
    /// <param name="settings">Columns, windows and batches; null for the defaults: column "Text", the model's context.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="TokenClassificationTransformer"/>.</remarks>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken.</exception>
    public static TokenClassificationScoringEstimator TokenClassification(this TransformsCatalog.TextTransforms catalog, string modelFolder,
        TokenClassificationSettings? settings = null) => new(MLNetInterop.EnvironmentOf(catalog), modelFolder, settings);
}
