using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns of the row or cursor that an input stands on, and the added ones; without an active added column nothing is computed.</summary>
/// <param name="map">Which columns there are.</param>
/// <param name="input">The row or cursor; freed with this.</param>
/// <param name="active">Which output columns are asked for, by index.</param>
internal sealed class MappedColumns(RowMap map, DataViewRow input, bool[] active) : IDisposable
{
    private readonly RowComputation? _computation = map.AnyAdded(active) ? map.Open(input) : null;
    private bool _disposed;

    public DataViewSchema Schema => map.OutputSchema;

    public bool IsActive(DataViewSchema.Column column) => active[column.Index];

    public ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column)
    {
        if (!active[column.Index]) throw RowMap.Inactive(column);
        return map.IsAdded(column.Index)
            ? RowMap.Typed<TValue>(_computation!.Getter(column.Index), column)
            : input.GetGetter<TValue>(map.InputSchema[column.Index]);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _computation?.Dispose();
        input.Dispose();
    }
}
