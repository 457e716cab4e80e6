using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>Reads the texts of rows for a language model.</summary>
internal static class LanguageTexts
{
    /// <summary>The columns of a schema: the text, and the prompt where there is one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public static DataViewSchema.Column[] Columns(DataViewSchema schema, string textColumnName, string? promptColumnName) => promptColumnName is null
        ? [ClassificationSchema.TextColumn(schema, textColumnName)]
        : [ClassificationSchema.TextColumn(schema, textColumnName), ClassificationSchema.TextColumn(schema, promptColumnName)];

    /// <summary>What reads the row that <paramref name="row"/> stands on.</summary>
    public static Func<LanguageText> Reader(DataViewRow row, DataViewSchema.Column[] columns)
    {
        ValueGetter<ReadOnlyMemory<char>>[] getters = Array.ConvertAll(columns, row.GetGetter<ReadOnlyMemory<char>>);
        return () => new LanguageText(getters.Length > 1 ? Read(getters[1]) : null, Read(getters[0]));
    }

    private static string Read(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> value = default;
        getter(ref value);
        return value.ToString();
    }
}
