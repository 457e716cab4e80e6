using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns that text generation reads and adds: in a schema, and in an estimator's promise of one.</summary>
internal static class TextGenerationSchema
{
    /// <summary>The input's columns and then the generated ones.</summary>
    public static DataViewSchema Append(DataViewSchema input, TextGenerationSettings settings)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        foreach (GeneratedColumn column in settings.Columns) builder.AddColumn(column.Name, column.Type, column.Annotations);
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static SchemaShape Promise(SchemaShape input, TextGenerationSettings settings)
    {
        PromptReader.Check(input, settings.InputColumnName, settings.Options.Chat);
        return PromisedSchema.With(input, schema => Append(schema, settings));
    }
}
