using MLComponents.Trainers;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Sequence regression by fine-tuning a decoder language model, in ML.NET's catalogs.</summary>
public static class SequenceRegressionCatalog
{
    /// <summary>Fine-tunes a decoder language model to give texts a number.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="labelColumnName">A column of numbers (Single).</param>
    /// <param name="textColumnName">A text column, as <c>FormatPrompt</c> makes it of several. Two texts to compare have a column each: <see cref="SequenceRegressionOptions.TextPairColumnName"/>.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static SequenceRegressionEstimator SequenceRegression(
        this RegressionCatalog.RegressionTrainers catalog,
        string labelColumnName = "Label", string textColumnName = "Text", SequenceRegressionOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), labelColumnName, textColumnName, options ?? new());
}
