using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that a language model reads and adds: in a schema, and in an estimator's promise of one.</summary>
internal static class TextLikelihoodSchema
{
    /// <summary>The input's columns and then log-likelihood, number of tokens and perplexity.</summary>
    public static DataViewSchema Append(DataViewSchema input, TextLikelihoodSettings settings)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumn(settings.LogLikelihoodColumnName, NumberDataViewType.Single);
        builder.AddColumn(settings.TokenCountColumnName, NumberDataViewType.Int32);
        builder.AddColumn(settings.PerplexityColumnName, NumberDataViewType.Single);
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public static SchemaShape Promise(SchemaShape input, TextLikelihoodSettings settings)
    {
        ClassificationSchema.CheckText(input, settings.TextColumnName);
        if (settings.PromptColumnName is { } prompt) ClassificationSchema.CheckText(input, prompt);
        return PromisedSchema.With(input, schema => Append(schema, settings));
    }
}
