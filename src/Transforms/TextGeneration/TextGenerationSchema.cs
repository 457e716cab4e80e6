using Microsoft.ML;
using Microsoft.ML.Data;

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
        Dictionary<string, SchemaShape.Column> columns = input.ToDictionary(column => column.Name);
        Check(settings.InputColumnName, isVector: false);
        if (settings.Options.Chat is { } chat)
        {
            Check(chat.SystemPromptColumnName, isVector: false);
            Check(chat.ExampleInputsColumnName, isVector: true);
            Check(chat.ExampleOutputsColumnName, isVector: true);
        }

        foreach (SchemaShape.Column column in MLNetInterop.ShapeOf(Append(new DataViewSchema.Builder().ToSchema(), settings))) columns[column.Name] = column;
        return new SchemaShape(columns.Values);

        void Check(string? name, bool isVector)
        {
            if (name is null) return;
            string? found = columns.TryGetValue(name, out SchemaShape.Column column) ? PromptColumns.Describe(column) : null;
            if (found is not null && column is { ItemType: TextDataViewType, IsKey: false } && (column.Kind != SchemaShape.Column.VectorKind.Scalar) == isVector) return;
            throw isVector ? Mismatch(name, found, columns.Keys) : ClassificationSchema.Mismatch(name, found, columns.Keys);
        }
    }

    /// <summary>A column of several texts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type.</exception>
    public static DataViewSchema.Column TextsColumn(DataViewSchema input, string name)
    {
        DataViewSchema.Column? found = input.GetColumnOrNull(name);
        if (found is { Type: VectorDataViewType { ItemType: TextDataViewType } } texts) return texts;
        throw Mismatch(name, found?.Type.ToString(), input.Where(column => !column.IsHidden).Select(column => column.Name));
    }

    private static ArgumentOutOfRangeException Mismatch(string name, string? found, IEnumerable<string> columns) => OutOfRange.Error(
        $"Schema mismatch for column '{name}': expected a vector of String, got {found ?? "no such column"}. The columns are {string.Join(", ", columns.Select(column => $"'{column}'"))}.");
}
