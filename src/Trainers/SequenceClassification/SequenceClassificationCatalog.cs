using MLComponents.Trainers;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Sequence classification by fine-tuning a decoder language model, in ML.NET's catalogs.</summary>
public static class SequenceClassificationCatalog
{
    /// <summary>Fine-tunes a decoder language model to classify texts into the values of a key column, or to give each any number of labels.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="labelColumnName">A key column, as <c>MapValueToKey</c> makes it; for any number of labels a column with vectors of Booleans, one per label, or of keys.</param>
    /// <param name="textColumnName">A text column, as <c>FormatPrompt</c> makes it of several. Two texts to compare have a column each: <see cref="SequenceClassificationOptions.TextPairColumnName"/>.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static SequenceClassificationEstimator SequenceClassification(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        string labelColumnName = "Label", string textColumnName = "Text", SequenceClassificationOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), labelColumnName, textColumnName, binary: false, options ?? new());

    /// <summary>Fine-tunes a decoder language model to tell texts with a Boolean label apart.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="labelColumnName">A Boolean column.</param>
    /// <param name="textColumnName">A text column, as <c>FormatPrompt</c> makes it of several. Two texts to compare have a column each: <see cref="SequenceClassificationOptions.TextPairColumnName"/>.</param>
    /// <param name="options">Everything else; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static SequenceClassificationEstimator SequenceClassification(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog,
        string labelColumnName = "Label", string textColumnName = "Text", SequenceClassificationOptions? options = null) =>
        new(MLNetInterop.EnvironmentOf(catalog), labelColumnName, textColumnName, binary: true, options ?? new());
}
