using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>A view with a classifier's columns; the model runs only for cursors that ask for one of them.</summary>
internal sealed class ClassificationView(SequenceClassificationTransformer transformer, IDataView input) : IDataView
{
    private readonly ClassificationMap _map = new(transformer, input.Schema);

    public DataViewSchema Schema => _map.OutputSchema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = _map.Active(columnsNeeded);
        DataViewRowCursor rows = input.GetRowCursor(_map.Needed(active), rand);
        return _map.AnyAdded(active) ? new ClassificationCursor(transformer, _map, rows, active) : new MappedCursor(_map, rows, active);
    }

    /// <summary>One cursor: the model already uses every core, and long windows batch better than many short ones.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
