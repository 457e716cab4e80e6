using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>A label column: a key of any width, or a Boolean.</summary>
internal static class LabelColumn
{
    /// <summary>The label column of a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name, bool binary)
    {
        DataViewSchema.Column? found = schema.GetColumnOrNull(name);
        return found is { } column && (binary ? column.Type is BooleanDataViewType : column.Type is KeyDataViewType)
            ? column
            : throw Mismatch(name, found?.Type.ToString(), binary);
    }

    /// <summary>Whether a column has vectors of Booleans or keys.</summary>
    public static bool IsMultiLabel(SchemaShape schema, string name) => schema.Any(column =>
        column.Name == name && column.Kind != SchemaShape.Column.VectorKind.Scalar && (column.ItemType is BooleanDataViewType || column.IsKey));

    /// <summary>Checks an estimator's input.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or of another type.</exception>
    public static SchemaShape.Column Find(SchemaShape schema, string name, bool binary)
    {
        SchemaShape.Column? found = null;
        foreach (SchemaShape.Column column in schema)
            if (column.Name == name) found = column;
        bool fits = found is { Kind: SchemaShape.Column.VectorKind.Scalar } label && (binary ? label.ItemType is BooleanDataViewType : label.IsKey);
        return fits ? found!.Value : throw Mismatch(name, found is { } other ? $"{other.Kind} of {other.ItemType}{(other.IsKey ? " (key)" : "")}" : null, binary);
    }

    /// <summary>Reads the current row's label as an index from 0: -1 where it is missing, <see cref="int.MaxValue"/> for that or anything larger.</summary>
    public static Func<int> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is BooleanDataViewType) return Reader<bool>(row, column, value => value ? 1 : 0);
        Type raw = column.Type.RawType;
        if (raw == typeof(byte)) return Reader<byte>(row, column, value => value - 1);
        if (raw == typeof(ushort)) return Reader<ushort>(row, column, value => value - 1);
        if (raw == typeof(uint)) return Reader<uint>(row, column, value => (int)Math.Min(value - 1L, int.MaxValue));
        return Reader<ulong>(row, column, value => value == 0 ? -1 : (int)Math.Min(value - 1, int.MaxValue));
    }

    private static Func<int> Reader<T>(DataViewRow row, DataViewSchema.Column column, Func<T, int> index)
    {
        ValueGetter<T> get = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            get(ref value);
            return index(value);
        };
    }

    private static ArgumentOutOfRangeException Mismatch(string name, string? found, bool binary) => OutOfRange.Error(
        $"Schema mismatch for label column '{name}': expected {(binary ? "Boolean" : $"a key (add ml.Transforms.Conversion.MapValueToKey(\"{name}\"))")}, got {found ?? "no such column"}.", "inputSchema");
}
