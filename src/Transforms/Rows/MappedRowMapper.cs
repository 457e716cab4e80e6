using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>What <c>PredictionEngine</c> uses: one row at a time.</summary>
internal sealed class MappedRowMapper(RowMap map) : IRowToRowMapper
{
    public DataViewSchema InputSchema => map.InputSchema;

    public DataViewSchema OutputSchema => map.OutputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        map.Needed(map.Active(dependingColumns));

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != map.InputSchema)
            throw new ArgumentException("The row has another schema than this mapper was made for: pass the same instance to GetRowToRowMapper.", nameof(input));
        return new MappedRow(map, input, map.Active(activeColumns));
    }
}
