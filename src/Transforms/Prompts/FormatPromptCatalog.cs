using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>FormatPrompt</c> to <c>mlContext.Transforms.Text</c>.</summary>
public static class FormatPromptCatalog
{
    /// <summary>Writes the columns of a row into one text, for a language model to read.</summary>
    /// <param name="catalog">The text transforms.</param>
    /// <param name="outputColumnName">The text column to add.</param>
    /// <param name="template">
    /// Text with placeholders: <c>{Column}</c> or <c>{Column:format}</c>, where the format is a .NET format string
    /// (<c>{Price:F2}</c>, <c>{When:yyyy-MM-dd}</c>), or for a Boolean its two words (<c>{Urgent:yes;no}</c>). <c>{{</c> and <c>}}</c> are
    /// braces. A column name with braces, colons, quotes or outer spaces is quoted: <c>{'odd: name'}</c>, the quote doubled inside.
    /// </param>
    /// <param name="options">How values are written and what gives way to limits; null for the defaults.</param>
    /// <returns>The estimator; it learns nothing from data.</returns>
    /// <remarks>
    /// Columns may be text, numbers, Boolean, <see cref="DateTime"/>, <see cref="DateTimeOffset"/>, <see cref="TimeSpan"/>, keys
    /// (written as their values, or as numbers counted from 0 where they have none), and vectors of these. NaN, empty text, a key of 0 and a
    /// vector of nothing else are missing values. The template's own text is never cut; how many values were is in the log.
    /// </remarks>
    /// <exception cref="ArgumentException">The template is malformed (the message has the position), or an option names a column that it lacks.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is negative, or smaller than the template's own text.</exception>
    /// <example><code>
    /// var prompt = ml.Transforms.Text.FormatPrompt("Prompt", "Product: {Product}\nPrice: {Price:F2}\n\n{Body}",
    ///     new FormatPromptOptions { MaxCharacters = 2000, MissingValue = "unknown" });
    /// </code></example>
    public static FormatPromptEstimator FormatPrompt(this TransformsCatalog.TextTransforms catalog, string outputColumnName, string template,
        FormatPromptOptions? options = null) => new(MLNetInterop.EnvironmentOf(catalog), outputColumnName, template, options);
}
