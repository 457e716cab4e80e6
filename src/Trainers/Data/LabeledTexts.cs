using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>The text and label columns of a data set, read as a stream; all rows or a fixed share of them.</summary>
internal sealed class LabeledTexts : ISplitRows<LabeledTexts>
{
    private readonly IDataView _data;
    private readonly TextColumns _texts;
    private readonly DataViewSchema.Column _label;
    private readonly Func<long, bool>? _includes;

    /// <summary>Looks up the columns.</summary>
    /// <param name="data">The data.</param>
    /// <param name="textColumnName">A text column.</param>
    /// <param name="textPairColumnName">The column of the second texts of pairs, or null.</param>
    /// <param name="labelColumnName">A key column, or a Boolean one for a binary classifier.</param>
    /// <param name="binary">Whether the label is Boolean.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public LabeledTexts(IDataView data, string textColumnName, string? textPairColumnName, string labelColumnName, bool binary)
    {
        ArgumentNullException.ThrowIfNull(data);
        _data = data;
        _texts = TextColumns.Find(data.Schema, textColumnName, textPairColumnName);
        _label = LabelColumn.Find(data.Schema, labelColumnName, binary);
        Labels = binary ? ClassLabels.Binary : ClassLabels.FromKeyColumn(_label);
    }

    private LabeledTexts(LabeledTexts all, Func<long, bool> includes)
    {
        (_data, _texts, _label, Labels) = (all._data, all._texts, all._label, all.Labels);
        _includes = includes;
    }

    /// <summary>The labels, in the order of their keys.</summary>
    public ClassLabels Labels { get; }

    /// <summary>The name of the text column.</summary>
    public string TextColumnName => _texts.Text.Name;

    /// <summary>The name of the label column.</summary>
    public string LabelColumnName => _label.Name;

    /// <summary>Parts the rows in two by their number: the same rows for the same seed, whatever is read in between.</summary>
    /// <param name="fraction">The share of the second part, 0 to 1.</param>
    /// <param name="seed">Chooses the rows.</param>
    public (LabeledTexts Remainder, LabeledTexts Part) Split(double fraction, int seed)
    {
        bool InPart(long row) => RowShare.Contains(row, fraction, seed);
        return (new LabeledTexts(this, row => !InPart(row)), new LabeledTexts(this, InPart));
    }

    /// <summary>Reads all labels, checking each.</summary>
    /// <exception cref="InvalidOperationException">A row has no label.</exception>
    public IEnumerable<int> ReadLabels()
    {
        using DataViewRowCursor cursor = _data.GetRowCursor([_label]);
        Func<int> label = LabelColumn.Reader(cursor, _label);
        for (long row = 0; cursor.MoveNext(); row++)
            if (_includes is null || _includes(row)) yield return Check(label(), row);
    }

    /// <summary>Reads texts, or pairs of them, and labels in the order of the data.</summary>
    /// <exception cref="InvalidOperationException">A row has no label.</exception>
    public IEnumerable<(TextInput Text, int Label)> Read()
    {
        using DataViewRowCursor cursor = _data.GetRowCursor([.. _texts.All, _label]);
        Func<TextInput> text = _texts.Reader(cursor);
        Func<int> label = LabelColumn.Reader(cursor, _label);
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (_includes is not null && !_includes(row)) continue;
            yield return (text(), Check(label(), row));
        }
    }

    private int Check(int label, long row) => label >= 0 && label < Labels.Count
        ? label
        : throw new InvalidOperationException(
            $"Row {row} has {(label < 0 ? "no label (a missing key)" : label == int.MaxValue ? $"a key above {label}" : $"the key {label + 1}")} in column '{_label.Name}'; expected one of its {Labels.Count} keys. "
            + "Rows whose label the key mapping has not seen must be filtered out, or the mapping made from data that has them.");
}
