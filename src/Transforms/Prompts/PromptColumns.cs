using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Checks that a template's columns exist and can be written as text, against a schema or an estimator's view of one.</summary>
internal static class PromptColumns
{
    /// <summary>The column of each placeholder.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, of a type without text, or its format does not fit.</exception>
    public static DataViewSchema.Column[] Find(PromptTemplate template, FormatPromptOptions options, DataViewSchema schema) =>
        [.. template.Placeholders.Select(placeholder =>
        {
            DataViewSchema.Column column = schema.GetColumnOrNull(placeholder.Column)
                ?? throw Unknown(placeholder, schema.Where(known => !known.IsHidden).Select(known => known.Name));
            DataViewType item = column.Type.GetItemType();
            if (item is KeyDataViewType && KeyValues(column) is { } values) item = values.ItemType;
            Check(placeholder, options, item, column.Type.ToString()!);
            return column;
        })];

    /// <summary>As <see cref="Find"/>, before there is data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, of a type without text, or its format does not fit.</exception>
    public static void Check(PromptTemplate template, FormatPromptOptions options, SchemaShape shape)
    {
        foreach (PromptPlaceholder placeholder in template.Placeholders)
        {
            SchemaShape.Column? found = null;
            foreach (SchemaShape.Column column in shape)
                if (column.Name == placeholder.Column) found = column;
            if (found is not { } known) throw Unknown(placeholder, shape.Select(column => column.Name));
            DataViewType item = known.ItemType;
            if (known.IsKey)
                foreach (SchemaShape.Column annotation in known.Annotations)
                    if (annotation.Name == AnnotationNames.KeyValues) item = annotation.ItemType;
            Check(placeholder, options, item, Describe(known));
        }
    }

    /// <summary>The type of a key's values, or null for a key without any.</summary>
    public static VectorDataViewType? KeyValues(DataViewSchema.Column column) =>
        column.Annotations.Schema.GetColumnOrNull(AnnotationNames.KeyValues)?.Type as VectorDataViewType;

    /// <summary>A column's type in words.</summary>
    public static string Describe(SchemaShape.Column column)
    {
        string item = column.IsKey ? $"Key<{column.ItemType}>" : column.ItemType.ToString()!;
        return column.Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{item}>",
            _ => item,
        };
    }

    private static void Check(PromptPlaceholder placeholder, FormatPromptOptions options, DataViewType item, string found)
    {
        ValueText text = ValueText.For(item, placeholder.Format, options.Culture) ?? throw OutOfRange.Error(
            $"Column '{placeholder.Column}' is of type {found}, which has no text form; expected text, numbers, Boolean, keys, dates, times, or vectors of these.");
        if (text.FormatError() is { } error)
            throw OutOfRange.Error($"The format of {placeholder} does not fit column '{placeholder.Column}' of type {found}: {error}");
    }

    private static ArgumentOutOfRangeException Unknown(PromptPlaceholder placeholder, IEnumerable<string> columns) => OutOfRange.Error(
        $"The template names column '{placeholder.Column}', which the input does not have. Its columns are {string.Join(", ", columns.Select(column => $"'{column}'"))}.");
}
