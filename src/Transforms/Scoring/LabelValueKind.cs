using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>A type that label values may have: how they are stored, named and given back.</summary>
internal abstract class LabelValueKind(byte code, DataViewType itemType)
{
    private static readonly LabelValueKind[] s_kinds =
    [
        new LabelValueKind<ReadOnlyMemory<char>>(2, TextDataViewType.Instance, value => value.ToString(), (w, v) => w.Write(v.ToString()), r => r.ReadString().AsMemory()),
        new LabelValueKind<bool>(3, BooleanDataViewType.Instance, value => value ? "true" : "false", (w, v) => w.Write(v), r => r.ReadBoolean()),
        Number<sbyte>(4, NumberDataViewType.SByte, (w, v) => w.Write(v), r => r.ReadSByte()),
        Number<byte>(5, NumberDataViewType.Byte, (w, v) => w.Write(v), r => r.ReadByte()),
        Number<short>(6, NumberDataViewType.Int16, (w, v) => w.Write(v), r => r.ReadInt16()),
        Number<ushort>(7, NumberDataViewType.UInt16, (w, v) => w.Write(v), r => r.ReadUInt16()),
        Number<int>(8, NumberDataViewType.Int32, (w, v) => w.Write(v), r => r.ReadInt32()),
        Number<uint>(9, NumberDataViewType.UInt32, (w, v) => w.Write(v), r => r.ReadUInt32()),
        Number<long>(10, NumberDataViewType.Int64, (w, v) => w.Write(v), r => r.ReadInt64()),
        Number<ulong>(11, NumberDataViewType.UInt64, (w, v) => w.Write(v), r => r.ReadUInt64()),
        Number<float>(12, NumberDataViewType.Single, (w, v) => w.Write(v), r => r.ReadSingle()),
        Number<double>(13, NumberDataViewType.Double, (w, v) => w.Write(v), r => r.ReadDouble()),
        new LabelValueKind<DateTime>(14, DateTimeDataViewType.Instance, value => value.ToString("s", CultureInfo.InvariantCulture), (w, v) => w.Write(v.ToBinary()), r => DateTime.FromBinary(r.ReadInt64())),
        new LabelValueKind<DateTimeOffset>(15, DateTimeOffsetDataViewType.Instance, value => value.ToString("o", CultureInfo.InvariantCulture),
            (w, v) => { w.Write(v.Ticks); w.Write(v.Offset.Ticks); }, r => new DateTimeOffset(r.ReadInt64(), new TimeSpan(r.ReadInt64()))),
        new LabelValueKind<TimeSpan>(16, TimeSpanDataViewType.Instance, value => value.ToString("c"), (w, v) => w.Write(v.Ticks), r => new TimeSpan(r.ReadInt64())),
    ];

    /// <summary>The supported types, for messages.</summary>
    public static string Supported => string.Join(", ", s_kinds.Select(kind => kind.ItemType.ToString()));

    /// <summary>How the type is called in a model file; never changed.</summary>
    public byte Code { get; } = code;

    public DataViewType ItemType { get; } = itemType;

    public static LabelValueKind? Of(DataViewType type) => Array.Find(s_kinds, kind => kind.ItemType.Equals(type));

    public static LabelValueKind? Of(byte code) => Array.Find(s_kinds, kind => kind.Code == code);

    public abstract ClassLabels Placeholder();

    public abstract ClassLabels FromValues(object[] values);

    public abstract ClassLabels FromAnnotation(DataViewSchema.Annotations annotations, DataViewSchema.Column column);

    public abstract ClassLabels Read(BinaryReader reader, int count);

    private static LabelValueKind<TValue> Number<TValue>(byte code, DataViewType type, Action<BinaryWriter, TValue> write, Func<BinaryReader, TValue> read)
        where TValue : IFormattable =>
        new(code, type, value => value.ToString(null, CultureInfo.InvariantCulture), write, read);
}

/// <inheritdoc cref="LabelValueKind"/>
internal sealed class LabelValueKind<TValue>(byte code, DataViewType itemType, Converter<TValue, string> name,
    Action<BinaryWriter, TValue> write, Func<BinaryReader, TValue> read) : LabelValueKind(code, itemType)
{
    public Converter<TValue, string> Name => name;

    public void WriteValue(BinaryWriter writer, TValue value) => write(writer, value);

    public override ClassLabels Placeholder() => new ClassLabels.Valued<TValue>(this, new TValue[2]);

    public override ClassLabels FromValues(object[] values) => new ClassLabels.Valued<TValue>(this, Array.ConvertAll(values, value => (TValue)value));

    public override ClassLabels FromAnnotation(DataViewSchema.Annotations annotations, DataViewSchema.Column column)
    {
        VBuffer<TValue> values = default;
        annotations.GetValue(column.Name, ref values);
        return new ClassLabels.Valued<TValue>(this, [.. values.DenseValues()]);
    }

    public override ClassLabels Read(BinaryReader reader, int count)
    {
        // Grown as values arrive: a damaged count ends at the end of the file, not in an allocation.
        var values = new List<TValue>();
        for (int i = 0; i < count; i++) values.Add(read(reader));
        return new ClassLabels.Valued<TValue>(this, [.. values]);
    }
}
