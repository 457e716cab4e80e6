using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>The texts and prompts of a data set, read as a stream; all rows or a fixed share of them.</summary>
internal sealed class TextRows : ISplitRows<TextRows>
{
    private readonly IDataView _data;
    private readonly DataViewSchema.Column[] _columns;
    private readonly Func<long, bool>? _includes;

    /// <summary>Looks up the columns.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or no text.</exception>
    public TextRows(IDataView data, string textColumnName, string? promptColumnName)
        : this(data, LanguageTexts.Columns(data.Schema, textColumnName, promptColumnName), includes: null)
    {
    }

    private TextRows(IDataView data, DataViewSchema.Column[] columns, Func<long, bool>? includes) => (_data, _columns, _includes) = (data, columns, includes);

    /// <summary>Parts the rows in two by their number.</summary>
    public (TextRows Remainder, TextRows Part) Split(double fraction, int seed)
    {
        bool InPart(long row) => RowShare.Contains(row, fraction, seed);
        return (new TextRows(_data, _columns, row => !InPart(row)), new TextRows(_data, _columns, InPart));
    }

    /// <summary>Reads rows, and their numbers, in the order of the data.</summary>
    public IEnumerable<(LanguageText Text, long Row)> Read()
    {
        using DataViewRowCursor cursor = _data.GetRowCursor(_columns);
        Func<LanguageText> read = LanguageTexts.Reader(cursor, _columns);
        for (long row = 0; cursor.MoveNext(); row++)
            if (_includes is null || _includes(row)) yield return (read(), row);
    }
}
