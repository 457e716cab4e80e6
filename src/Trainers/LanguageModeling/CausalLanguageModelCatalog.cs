using MLComponents.Trainers;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Fine-tuning of causal language models, in ML.NET's catalogs.</summary>
public static class CausalLanguageModelCatalog
{
    /// <summary>Fine-tunes a causal language model on the texts of a column, or on answers to prompts, or on conversations; see <see cref="CausalLanguageModelEstimator"/>.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="textColumnName">A text column.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static CausalLanguageModelEstimator CausalLanguageModel(
        this TransformsCatalog.TextTransforms catalog, string textColumnName = "Text", CausalLanguageModelOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), textColumnName, options ?? new());
}
