using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that a token classifier reads and adds: in a schema, and in an estimator's promise of one.</summary>
internal static class TokenClassificationSchema
{
    private static readonly VectorDataViewType s_texts = new(TextDataViewType.Instance);
    private static readonly VectorDataViewType s_integers = new(NumberDataViewType.Int32);
    private static readonly VectorDataViewType s_numbers = new(NumberDataViewType.Single);

    /// <summary>The input's columns and then those of tokens and entities.</summary>
    public static DataViewSchema Append(DataViewSchema input, TokenClassificationSettings settings, ClassLabels labels, bool textIsWhole)
    {
        var predicted = new DataViewSchema.Annotations.Builder();
        labels.Annotate(predicted, AnnotationNames.KeyValues);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        if (textIsWhole) builder.AddColumn(settings.TokenColumnName, s_texts);
        builder.AddColumn(settings.PredictedLabelColumnName, new VectorDataViewType(new KeyDataViewType(typeof(uint), labels.Count)), predicted.ToAnnotations());
        builder.AddColumn(settings.ProbabilityColumnName, s_numbers);
        builder.AddColumn(settings.EntityColumnName, s_texts);
        builder.AddColumn(settings.EntityColumnName + "Label", s_texts);
        builder.AddColumn(settings.EntityColumnName + "Start", s_integers);
        builder.AddColumn(settings.EntityColumnName + "Length", s_integers);
        builder.AddColumn(settings.EntityColumnName + "Probability", s_numbers);
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The text column is missing or neither a text nor a vector of texts.</exception>
    public static SchemaShape Promise(SchemaShape input, TokenClassificationSettings settings, ClassLabels labels)
    {
        Dictionary<string, SchemaShape.Column> columns = input.ToDictionary(column => column.Name);
        if (!columns.TryGetValue(settings.TextColumnName, out SchemaShape.Column text) || text is not { ItemType: TextDataViewType, IsKey: false })
            throw Mismatch(settings.TextColumnName, columns.ContainsKey(settings.TextColumnName) ? PromptColumns.Describe(text) : null, columns.Keys);
        bool whole = text.Kind == SchemaShape.Column.VectorKind.Scalar;
        return PromisedSchema.With(input, schema => Append(schema, settings, labels, whole));
    }

    /// <summary>The text column of a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or neither a text nor a vector of texts.</exception>
    public static DataViewSchema.Column TextColumn(DataViewSchema input, string name)
    {
        DataViewSchema.Column? found = input.GetColumnOrNull(name);
        if (found is { Type: TextDataViewType or VectorDataViewType { ItemType: TextDataViewType } } text) return text;
        throw Mismatch(name, found?.Type.ToString(), input.Where(column => !column.IsHidden).Select(column => column.Name));
    }

    private static ArgumentOutOfRangeException Mismatch(string name, string? found, IEnumerable<string> columns) => OutOfRange.Error(
        $"Schema mismatch for text column '{name}': expected String (a text, or a vector of texts which are its tokens), got {found ?? "no such column"}. The columns are {string.Join(", ", columns.Select(column => $"'{column}'"))}.");
}
