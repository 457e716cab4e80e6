using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>ScoreChoices</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class ChoiceScoringCatalog
{
    /// <summary>Classifies texts, without training, by how likely a causal language model finds each of some choices after them.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="inputColumnName">The text column of the prompts, or of what the user says in a conversation.</param>
    /// <param name="choices">The choices, at least two.</param>
    /// <param name="options">The model's folder, and how choices are compared.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>The columns that are added are those of <see cref="ChoiceScoringTransformer"/>.</remarks>
    /// <exception cref="ArgumentException">Options are missing, out of range or contradict each other.</exception>
    /// <exception cref="FileNotFoundException">There is no such folder, or it has no config.json.</exception>
    /// <exception cref="FormatException">The config.json is broken.</exception>
    public static ChoiceScoringEstimator ScoreChoices(this TransformsCatalog.TextTransforms catalog, string inputColumnName, IEnumerable<string> choices, ChoiceScoringOptions options) =>
        new(MLNetInterop.EnvironmentOf(catalog), new ChoiceScoringSettings(inputColumnName, choices, options));
}
