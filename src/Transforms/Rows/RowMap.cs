using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>How the columns of one schema become those of another by adding columns that depend on nothing but the row.</summary>
/// <remarks>
/// <see cref="DataViewSchema.Builder"/> appends and keeps hidden columns in their place, so that output column <c>i</c> is input
/// column <c>i</c> as long as the input has one; columns are therefore matched by index, never by name.
/// </remarks>
internal abstract class RowMap(DataViewSchema inputSchema, DataViewSchema outputSchema)
{
    public DataViewSchema InputSchema { get; } = inputSchema;

    public DataViewSchema OutputSchema { get; } = outputSchema;

    /// <summary>Indexes of the input columns that the added columns are computed from.</summary>
    public abstract IReadOnlyCollection<int> Inputs { get; }

    /// <summary>Starts computing added columns for the rows that <paramref name="input"/> stands on, one after the other.</summary>
    public abstract RowComputation Open(DataViewRow input);

    /// <summary>A view over <paramref name="input"/>, which has the input schema, with the added columns.</summary>
    public abstract IDataView Over(IDataView input);

    public bool IsAdded(int outputColumn) => outputColumn >= InputSchema.Count;

    /// <summary>Which output columns are asked for, by index.</summary>
    public bool[] Active(IEnumerable<DataViewSchema.Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var active = new bool[OutputSchema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            if (column.Index >= active.Length || OutputSchema[column.Index].Name != column.Name)
                throw new ArgumentOutOfRangeException(nameof(columns), $"Column '{column.Name}' is not a column of this schema.");
            active[column.Index] = true;
        }
        return active;
    }

    public bool AnyAdded(bool[] active) => active.AsSpan(InputSchema.Count).Contains(true);

    /// <summary>The input columns needed to serve the active output columns.</summary>
    public DataViewSchema.Column[] Needed(bool[] active)
    {
        bool computes = AnyAdded(active);
        return [.. InputSchema.Where(column => active[column.Index] || (computes && Inputs.Contains(column.Index)))];
    }

    /// <summary>Makes a getter of the type that the caller expects, or says what the column is.</summary>
    public static ValueGetter<TValue> Typed<TValue>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<TValue>
        ?? throw new InvalidOperationException($"Column '{column.Name}' is of type {column.Type}, which is not read as {typeof(TValue)}.");

    public static ArgumentOutOfRangeException Inactive(DataViewSchema.Column column) =>
        new(nameof(column), $"Column '{column.Name}' is not active: name it when the cursor or row is made.");
}
