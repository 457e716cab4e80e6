using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>An input row with added columns.</summary>
internal sealed class MappedRow(RowMap map, DataViewRow input, bool[] active) : DataViewRow
{
    private readonly MappedColumns _columns = new(map, input, active);

    public override DataViewSchema Schema => _columns.Schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => _columns.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => _columns.Getter<TValue>(column);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _columns.Dispose();
        base.Dispose(disposing);
    }
}
