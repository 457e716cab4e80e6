using System.Globalization;
using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>How the values of a type are written; null stands for a missing value.</summary>
internal abstract class ValueText
{
    /// <summary>The way to write values of a type, or null where there is none. A key here is one without values: its number.</summary>
    public static ValueText? For(DataViewType item, string? format, CultureInfo culture) => item switch
    {
        TextDataViewType => new ValueText<ReadOnlyMemory<char>>(value => value.IsEmpty ? null : value.ToString(),
            format is null ? null : "text takes no format"),
        BooleanDataViewType => Boolean(format),
        DateTimeDataViewType => Formatted<DateTime>(format ?? (IsInvariant(culture) ? "yyyy-MM-dd HH:mm:ss" : null), culture),
        DateTimeOffsetDataViewType => Formatted<DateTimeOffset>(format ?? (IsInvariant(culture) ? "yyyy-MM-dd HH:mm:ss zzz" : null), culture),
        TimeSpanDataViewType => Formatted<TimeSpan>(format, culture),
        KeyDataViewType => KeyNumber(item.RawType, format, culture),
        NumberDataViewType => Number(item.RawType, format, culture),
        _ => null,
    };

    /// <summary>What is wrong with the format, or null.</summary>
    public abstract string? FormatError();

    /// <summary>What writes the value of the row that <paramref name="row"/> stands on; a key column's values must not be of interest.</summary>
    public abstract Func<string?> Scalar(DataViewRow row, DataViewSchema.Column column);

    /// <summary>What writes the values of a vector, without the missing ones.</summary>
    public abstract Func<string?> Vector(DataViewRow row, DataViewSchema.Column column, string separator);

    /// <summary>All values of a vector annotation.</summary>
    public abstract string?[] Annotation(DataViewSchema.Annotations annotations, string name);

    /// <summary>What writes a column of a row, key values included.</summary>
    public static Func<string?> Reader(DataViewRow row, DataViewSchema.Column column, string? format, FormatPromptOptions options)
    {
        DataViewType item = column.Type.GetItemType();
        ValueText text = item is KeyDataViewType && PromptColumns.KeyValues(column) is { } values
            ? Key(item.RawType, For(values.ItemType, format, options.Culture)!.Annotation(column.Annotations, AnnotationNames.KeyValues))
            : For(item, format, options.Culture)!;
        return column.Type is VectorDataViewType ? text.Vector(row, column, options.VectorSeparator) : text.Scalar(row, column);
    }

    private static bool IsInvariant(CultureInfo culture) => culture.Name.Length == 0;

    /// <summary>A key written as its value; 0 is missing.</summary>
    private static ValueText Key(Type raw, string?[] values)
    {
        string? Value(ulong key) => key > 0 && key <= (ulong)values.Length ? values[key - 1] : null;
        return Type.GetTypeCode(raw) switch
        {
            TypeCode.Byte => new ValueText<byte>(key => Value(key)),
            TypeCode.UInt16 => new ValueText<ushort>(key => Value(key)),
            TypeCode.UInt32 => new ValueText<uint>(key => Value(key)),
            _ => new ValueText<ulong>(Value),
        };
    }

    private static ValueText? Number(Type raw, string? format, CultureInfo culture) => Type.GetTypeCode(raw) switch
    {
        TypeCode.SByte => Formatted<sbyte>(format, culture),
        TypeCode.Byte => Formatted<byte>(format, culture),
        TypeCode.Int16 => Formatted<short>(format, culture),
        TypeCode.UInt16 => Formatted<ushort>(format, culture),
        TypeCode.Int32 => Formatted<int>(format, culture),
        TypeCode.UInt32 => Formatted<uint>(format, culture),
        TypeCode.Int64 => Formatted<long>(format, culture),
        TypeCode.UInt64 => Formatted<ulong>(format, culture),
        TypeCode.Single => new ValueText<float>(value => float.IsNaN(value) ? null : value.ToString(format, culture), Problem(0f, format, culture)),
        TypeCode.Double => new ValueText<double>(value => double.IsNaN(value) ? null : value.ToString(format, culture), Problem(0d, format, culture)),
        _ => null,
    };

    /// <summary>A key without values: stored from 1, with 0 for missing, but counted from 0, as ML.NET shows it.</summary>
    private static ValueText? KeyNumber(Type raw, string? format, CultureInfo culture) => Type.GetTypeCode(raw) switch
    {
        TypeCode.Byte => Counted<byte>(format, culture),
        TypeCode.UInt16 => Counted<ushort>(format, culture),
        TypeCode.UInt32 => Counted<uint>(format, culture),
        TypeCode.UInt64 => Counted<ulong>(format, culture),
        _ => null,
    };

    private static ValueText<TValue> Counted<TValue>(string? format, CultureInfo culture) where TValue : struct, IBinaryInteger<TValue> =>
        new(value => value == TValue.Zero ? null : (value - TValue.One).ToString(format, culture), Problem(TValue.Zero, format, culture));

    private static ValueText<TValue> Formatted<TValue>(string? format, CultureInfo culture) where TValue : struct, IFormattable =>
        new(value => value.ToString(format, culture), Problem(default(TValue), format, culture));

    private static ValueText<bool> Boolean(string? format)
    {
        string[] words = (format ?? "true;false").Split(';');
        return words.Length == 2
            ? new ValueText<bool>(value => value ? words[0] : words[1])
            : new ValueText<bool>(value => value.ToString(), "a Boolean's format is the text for true and the text for false, as in 'yes;no'");
    }

    private static string? Problem(IFormattable sample, string? format, CultureInfo culture)
    {
        try
        {
            _ = sample.ToString(format, culture);
            return null;
        }
        catch (FormatException error)
        {
            return error.Message;
        }
    }
}

/// <inheritdoc cref="ValueText"/>
internal sealed class ValueText<TValue>(Func<TValue, string?> text, string? formatError = null) : ValueText
{
    public override string? FormatError() => formatError;

    public override Func<string?> Scalar(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<TValue> getter = row.GetGetter<TValue>(column);
        TValue value = default!;
        return () =>
        {
            getter(ref value);
            return text(value);
        };
    }

    public override Func<string?> Vector(DataViewRow row, DataViewSchema.Column column, string separator)
    {
        ValueGetter<VBuffer<TValue>> getter = row.GetGetter<VBuffer<TValue>>(column);
        VBuffer<TValue> values = default;
        var present = new List<string>();
        return () =>
        {
            getter(ref values);
            present.Clear();
            foreach (TValue value in values.DenseValues())
                if (text(value) is { } written) present.Add(written);
            return present.Count > 0 ? string.Join(separator, present) : null;
        };
    }

    public override string?[] Annotation(DataViewSchema.Annotations annotations, string name)
    {
        VBuffer<TValue> values = default;
        annotations.GetValue(name, ref values);
        return [.. values.DenseValues().Select(text)];
    }
}
