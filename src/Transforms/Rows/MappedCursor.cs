using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>An input cursor with added columns, row by row; without an active added column it only passes rows through.</summary>
internal sealed class MappedCursor(RowMap map, DataViewRowCursor input, bool[] active) : DataViewRowCursor
{
    private readonly RowComputation? _computation = map.AnyAdded(active) ? map.Open(input) : null;
    private bool _disposed;

    public override DataViewSchema Schema => map.OutputSchema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool MoveNext() => input.MoveNext();

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!active[column.Index]) throw RowMap.Inactive(column);
        return map.IsAdded(column.Index)
            ? RowMap.Typed<TValue>(_computation!.Getter(column.Index), column)
            : input.GetGetter<TValue>(map.InputSchema[column.Index]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _computation?.Dispose();
            input.Dispose();
        }
        base.Dispose(disposing);
    }
}
