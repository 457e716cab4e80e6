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
        Dictionary<string, SchemaShape.Column> columns = input.ToDictionary(column => column.Name);
        foreach (string name in (string[])[settings.ContextColumnName, settings.QuestionColumnName])
        {
            if (!columns.TryGetValue(name, out SchemaShape.Column found) || found is not { Kind: SchemaShape.Column.VectorKind.Scalar, ItemType: TextDataViewType, IsKey: false })
                throw ClassificationSchema.Mismatch(name, columns.ContainsKey(name) ? PromptColumns.Describe(found) : null, columns.Keys);
        }

        foreach (SchemaShape.Column column in MLNetInterop.ShapeOf(Append(new DataViewSchema.Builder().ToSchema(), settings))) columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }
}
