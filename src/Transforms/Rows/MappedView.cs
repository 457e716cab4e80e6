using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>A view with added columns that are cheap enough to be computed row by row, on as many cursors as the input gives.</summary>
internal sealed class MappedView(RowMap map, IDataView input) : IDataView
{
    public DataViewSchema Schema => map.OutputSchema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = map.Active(columnsNeeded);
        return new MappedCursor(map, input.GetRowCursor(map.Needed(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = map.Active(columnsNeeded);
        return Array.ConvertAll(input.GetRowCursorSet(map.Needed(active), n, rand),
            cursor => (DataViewRowCursor)new MappedCursor(map, cursor, active));
    }
}
