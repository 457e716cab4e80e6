using MLComponents.Trainers;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Token classification by fine-tuning a decoder language model, in ML.NET's catalogs.</summary>
public static class TokenClassificationCatalog
{
    /// <summary>Fine-tunes a decoder language model to label the tokens of texts: named entities, parts of speech, slots.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="labelColumnName">A vector of tags, one per token; or of entity types, where the text is whole. See <see cref="TokenClassificationEstimator"/>.</param>
    /// <param name="textColumnName">A vector of texts, the tokens; or a text.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static TokenClassificationEstimator TokenClassification(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        string labelColumnName = "Label", string textColumnName = "Text", TokenClassificationOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), labelColumnName, textColumnName, options ?? new());
}
