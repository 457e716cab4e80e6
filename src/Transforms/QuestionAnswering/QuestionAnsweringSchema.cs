using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that question answering reads and adds: in a schema, and in an estimator's promise of one.</summary>
internal static class QuestionAnsweringSchema
{
    /// <summary>The input's columns and then answers, scores and places.</summary>
    public static DataViewSchema Append(DataViewSchema input, QuestionAnsweringSettings settings)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumn(settings.AnswerColumnName, new VectorDataViewType(TextDataViewType.Instance, settings.TopK));
        builder.AddColumn(settings.ScoreColumnName, new VectorDataViewType(NumberDataViewType.Single, settings.TopK));
        builder.AddColumn(settings.AnswerStartColumnName, new VectorDataViewType(NumberDataViewType.Int32, settings.TopK));
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public static SchemaShape Promise(SchemaShape input, QuestionAnsweringSettings settings)
    {
        ClassificationSchema.CheckText(input, settings.ContextColumnName);
        ClassificationSchema.CheckText(input, settings.QuestionColumnName);
        return PromisedSchema.With(input, schema => Append(schema, settings));
    }
}
