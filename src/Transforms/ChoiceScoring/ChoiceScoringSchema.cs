using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that scoring choices reads and adds: in a schema, and in an estimator's promise of one.</summary>
internal static class ChoiceScoringSchema
{
    /// <summary>The input's columns, then those of every classifier, then the log-likelihoods where they are asked for.</summary>
    public static DataViewSchema Append(DataViewSchema input, ChoiceScoringSettings settings)
    {
        DataViewSchema classified = ClassificationSchema.Append(input, settings.Columns, settings.Labels);
        if (settings.Options.LogLikelihoodColumnName is not { } name) return classified;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(classified);
        builder.AddColumn(name, new VectorDataViewType(NumberDataViewType.Single, settings.Choices.Count));
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static SchemaShape Promise(SchemaShape input, ChoiceScoringSettings settings)
    {
        PromptReader.Check(input, settings.InputColumnName, settings.Options.Chat);
        return PromisedSchema.With(input, schema => Append(schema, settings));
    }
}
