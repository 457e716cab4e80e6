using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>A text column and the targets in a label column (a number, a vector of Booleans or a vector of keys), read as a stream; all rows or a fixed share of them.</summary>
internal sealed class TargetedTexts : ISplitRows<TargetedTexts>
{
    private readonly IDataView _data;
    private readonly TextColumns _texts;
    private readonly DataViewSchema.Column _label;
    private readonly Func<long, bool>? _includes;

    /// <summary>Looks up the columns.</summary>
    /// <param name="data">The data.</param>
    /// <param name="textColumnName">A text column.</param>
    /// <param name="textPairColumnName">The column of the second texts of pairs, or null.</param>
    /// <param name="labelColumnName">A column of numbers, or of vectors.</param>
    /// <param name="isRegression">Whether the label is a number.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public TargetedTexts(IDataView data, string textColumnName, string? textPairColumnName, string labelColumnName, bool isRegression)
    {
        ArgumentNullException.ThrowIfNull(data);
        _data = data;
        _texts = TextColumns.Find(data.Schema, textColumnName, textPairColumnName);
        DataViewSchema.Column? label = data.Schema.GetColumnOrNull(labelColumnName);
        if (isRegression && (label is null || !label.Value.Type.Equals(NumberDataViewType.Single)))
            throw OutOfRange.Error($"Schema mismatch for label column '{labelColumnName}': expected Single (a number), got {label?.Type.ToString() ?? "no such column"}.", "inputSchema");
        _label = label ?? throw OutOfRange.Error($"Schema mismatch for label column '{labelColumnName}': expected a vector of Booleans or keys, got no such column.", "inputSchema");
        Labels = isRegression ? null : MultipleLabels.OfColumn(_label);
    }

    private TargetedTexts(TargetedTexts all, Func<long, bool> includes) =>
        (_data, _texts, _label, Labels, _includes) = (all._data, all._texts, all._label, all.Labels, includes);

    /// <summary>The labels, or null of a regression.</summary>
    public MultipleLabels? Labels { get; }

    /// <summary>Parts the rows in two by their number.</summary>
    /// <param name="fraction">The share of the second part, 0 to 1.</param>
    /// <param name="seed">Chooses the rows.</param>
    public (TargetedTexts Remainder, TargetedTexts Part) Split(double fraction, int seed) =>
        (new TargetedTexts(this, row => !RowShare.Contains(row, fraction, seed)), new TargetedTexts(this, row => RowShare.Contains(row, fraction, seed)));

    /// <summary>How many rows there are, each with targets that can be learnt.</summary>
    /// <param name="checkAlive">Throws when the run has been cancelled.</param>
    /// <exception cref="InvalidOperationException">A row's label is no number, or a missing or unknown key.</exception>
    public long Count(Action checkAlive)
    {
        long count = 0;
        foreach (float[] _ in Read<int>(encode: null).Select(row => row.Targets))
        {
            checkAlive();
            count++;
        }

        return count;
    }

    /// <summary>Reads and encodes rows in the order of the data; enumerated anew, it does so again.</summary>
    /// <exception cref="InvalidOperationException">A row's label is no number, or a missing or unknown key.</exception>
    public IEnumerable<(TargetedText Row, bool Truncated)> Encode(ITextScorer scorer) =>
        Read(scorer.Encode).Select(row => (new TargetedText(row.Value.Ids, row.Targets), row.Value.Truncated));

    /// <summary>Reads targets, and what becomes of the texts where they are encoded.</summary>
    private IEnumerable<(T Value, float[] Targets)> Read<T>(Func<TextInput, T>? encode)
        where T : struct
    {
        using DataViewRowCursor cursor = _data.GetRowCursor(encode is null ? [_label] : [.. _texts.All, _label]);
        Func<TextInput>? text = encode is null ? null : _texts.Reader(cursor);
        Func<long, float[]> targets = Targets(cursor);
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (_includes is not null && !_includes(row)) continue;
            yield return (text is null ? default : encode!(text()), targets(row));
        }
    }

    private Func<long, float[]> Targets(DataViewRow row)
    {
        if (Labels is null)
        {
            ValueGetter<float> get = row.GetGetter<float>(_label);
            float value = 0;
            return number =>
            {
                get(ref value);
                return float.IsFinite(value) ? [value] : throw Refused(number, $"the value {value}", "a finite number");
            };
        }

        if (_label.Type is VectorDataViewType { ItemType: BooleanDataViewType })
        {
            ValueGetter<VBuffer<bool>> get = row.GetGetter<VBuffer<bool>>(_label);
            VBuffer<bool> values = default;
            return _ =>
            {
                get(ref values);
                return [.. values.DenseValues().Select(value => value ? 1f : 0f)];
            };
        }

        Type raw = ((VectorDataViewType)_label.Type).ItemType.RawType;
        return raw == typeof(byte) ? Keys<byte>(row, key => key) : raw == typeof(ushort) ? Keys<ushort>(row, key => key) : raw == typeof(uint) ? Keys<uint>(row, key => key) : Keys<ulong>(row, key => key);
    }

    private Func<long, float[]> Keys<TKey>(DataViewRow row, Func<TKey, ulong> number)
    {
        ValueGetter<VBuffer<TKey>> get = row.GetGetter<VBuffer<TKey>>(_label);
        VBuffer<TKey> keys = default;
        return place =>
        {
            get(ref keys);
            var targets = new float[Labels!.Count];
            foreach (TKey value in keys.DenseValues())
            {
                ulong key = number(value);
                if (key == 0 || key > (ulong)targets.Length) throw Refused(place, key == 0 ? "a missing key" : $"the key {key}", $"keys from 1 to {targets.Length}");
                targets[key - 1] = 1;
            }

            return targets;
        };
    }

    private InvalidOperationException Refused(long row, string found, string expected) => new($"Row {row} has {found} in column '{_label.Name}'; expected {expected}. Filter such rows out.");
}
