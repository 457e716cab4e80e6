using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>A view with columns that are computed for many rows at once; nothing runs but for cursors that ask for one of them.</summary>
internal sealed class ReadAheadView<TInput, TResult>(ReadAheadMap<TInput, TResult> map, IDataView input) : IDataView
{
    public DataViewSchema Schema => map.OutputSchema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = map.Active(columnsNeeded);
        DataViewRowCursor rows = input.GetRowCursor(map.Needed(active), rand);
        return map.AnyAdded(active) ? new ReadAheadCursor<TInput, TResult>(map, rows, active) : new MappedCursor(map, rows, active);
    }

    /// <summary>One cursor: the model already uses every core, and long windows batch better than many short ones.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
