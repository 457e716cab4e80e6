using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Reads tags, one per token, from a vector of keys or of texts.</summary>
internal static class TagColumn
{
    /// <summary>The column of a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing, or neither a vector of texts nor one of keys with texts as their values.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        DataViewSchema.Column? found = schema.GetColumnOrNull(name);
        if (found is { Type: VectorDataViewType { ItemType: TextDataViewType } } texts) return texts;
        if (found is { Type: VectorDataViewType { ItemType: KeyDataViewType } } keys
            && keys.Annotations.Schema.GetColumnOrNull(AnnotationNames.KeyValues) is { Type: VectorDataViewType { ItemType: TextDataViewType } }) return keys;
        throw OutOfRange.Error($"Schema mismatch for label column '{name}': expected a vector of texts, or of keys whose values are texts (one per token or entity), got {found?.Type.ToString() ?? "no such column"}.");
    }

    /// <summary>What reads the tags of the row that <paramref name="row"/> stands on; null for a missing key.</summary>
    public static Func<string?[]> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        if (((VectorDataViewType)column.Type).ItemType is TextDataViewType)
        {
            ValueGetter<VBuffer<ReadOnlyMemory<char>>> texts = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
            VBuffer<ReadOnlyMemory<char>> buffer = default;
            return () =>
            {
                texts(ref buffer);
                return [.. buffer.DenseValues().Select(text => text.ToString())];
            };
        }

        VBuffer<ReadOnlyMemory<char>> values = default;
        column.Annotations.GetValue(AnnotationNames.KeyValues, ref values);
        string[] names = [.. values.DenseValues().Select(text => text.ToString())];
        Func<uint[]> keys = Keys(row, column);
        return () => Array.ConvertAll(keys(), key => key == 0 ? null : names[key - 1]);
    }

    private static Func<uint[]> Keys(DataViewRow row, DataViewSchema.Column column)
    {
        Type raw = ((VectorDataViewType)column.Type).ItemType.RawType;
        if (raw == typeof(uint)) return Dense<uint>(row, column, key => key);
        if (raw == typeof(ushort)) return Dense<ushort>(row, column, key => key);
        if (raw == typeof(byte)) return Dense<byte>(row, column, key => key);
        return Dense<ulong>(row, column, key => checked((uint)key));
    }

    private static Func<uint[]> Dense<T>(DataViewRow row, DataViewSchema.Column column, Converter<T, uint> convert)
    {
        ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> buffer = default;
        return () =>
        {
            getter(ref buffer);
            return [.. buffer.DenseValues().Select(value => convert(value))];
        };
    }
}
