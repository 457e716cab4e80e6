using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>What an estimator promises of columns that its transformer adds.</summary>
internal static class PromisedSchema
{
    /// <summary>The input's columns with the added ones in place of any of the same name.</summary>
    /// <param name="input">The input's columns.</param>
    /// <param name="append">What the transformer adds to a schema.</param>
    public static SchemaShape With(SchemaShape input, Func<DataViewSchema, DataViewSchema> append)
    {
        Dictionary<string, SchemaShape.Column> columns = input.ToDictionary(column => column.Name);
        foreach (SchemaShape.Column column in MLNetInterop.ShapeOf(append(new DataViewSchema.Builder().ToSchema()))) columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }
}
