using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>GenerateText</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class TextGenerationCatalog
{
    /// <summary>Generates a text for each row of a column with a causal language model.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="outputColumnName">The column of the generated texts.</param>
    /// <param name="inputColumnName">The text column of the prompts, or of what the user says in a conversation; <paramref name="outputColumnName"/> if null.</param>
    /// <param name="options">The model's folder, and how it generates.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="TextGenerationTransformer"/>.</remarks>
    /// <exception cref="ArgumentException">Options are missing, out of range or contradict each other.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken, or the schema is not JSON.</exception>
    public static TextGenerationEstimator GenerateText(this TransformsCatalog.TextTransforms catalog, string outputColumnName, string? inputColumnName, TextGenerationOptions options) =>
        new(MLNetInterop.EnvironmentOf(catalog), new TextGenerationSettings(outputColumnName, inputColumnName ?? outputColumnName, options));
}
