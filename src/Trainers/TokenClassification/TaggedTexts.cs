using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>The texts of a data set with the tags of their words, read as a stream; all rows or a fixed share of them.</summary>
/// <remarks>Either the text column is a vector of words and the label column one of as many tags, or the text is whole and the label column holds the types of its entities.</remarks>
internal sealed class TaggedTexts : ISplitRows<TaggedTexts>
{
    private readonly IDataView _data;
    private readonly DataViewSchema.Column _text, _label;
    private readonly SpanColumns? _spans;
    private readonly Func<long, bool>? _includes;

    /// <summary>Looks up the columns.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public TaggedTexts(IDataView data, string textColumnName, string labelColumnName, TokenClassificationOptions options)
    {
        _data = data;
        _text = TokenClassificationSchema.TextColumn(data.Schema, textColumnName);
        _label = TagColumn.Find(data.Schema, labelColumnName);
        if (_text.Type is TextDataViewType) _spans = new SpanColumns(data.Schema, labelColumnName, options.SpanStartColumnName, options.SpanLengthColumnName, $" Alternatively make '{textColumnName}' a vector of texts with one tag each.");
    }

    private TaggedTexts(TaggedTexts all, Func<long, bool> includes)
    {
        (_data, _text, _label, _spans) = (all._data, all._text, all._label, all._spans);
        _includes = includes;
    }

    /// <summary>The name of the text column.</summary>
    public string TextColumnName => _text.Name;

    /// <summary>The name of the label column.</summary>
    public string LabelColumnName => _label.Name;

    /// <summary>Parts the rows in two by their number.</summary>
    public (TaggedTexts Remainder, TaggedTexts Part) Split(double fraction, int seed)
    {
        bool InPart(long row) => RowShare.Contains(row, fraction, seed);
        return (new TaggedTexts(this, row => !InPart(row)), new TaggedTexts(this, InPart));
    }

    /// <summary>The tags that there are: those of the label column's keys, in their order, else those that occur, "O" first.</summary>
    /// <exception cref="InvalidOperationException">A row's vectors do not fit each other.</exception>
    public string[] Tags(Action checkAlive)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        if (((VectorDataViewType)_label.Type).ItemType is KeyDataViewType)
        {
            VBuffer<ReadOnlyMemory<char>> values = default;
            _label.Annotations.GetValue(AnnotationNames.KeyValues, ref values);
            string[] names = [.. values.DenseValues().Select(text => text.ToString())];
            return _spans is null ? names : SpanTags.Names(names);
        }

        foreach ((_, string?[] tags) in Read())
        {
            checkAlive();
            foreach (string? tag in tags) found.Add(tag!);
        }

        found.Remove(TagSpans.Outside);
        return _spans is null ? [TagSpans.Outside, .. found] : SpanTags.Names(found.Select(tag => tag[2..]).Distinct());
    }

    /// <summary>Reads texts and the tags of their words in the order of the data; null where a word has none.</summary>
    /// <exception cref="InvalidOperationException">A row's vectors do not fit each other.</exception>
    public IEnumerable<(TokenizedText Text, string?[] Tags)> Read()
    {
        using DataViewRowCursor cursor = _data.GetRowCursor([_text, .. _spans?.All ?? [_label]]);
        Func<TokenizedText> readText = TokenizedTexts.Reader(cursor, _text);
        Func<string?[]> readLabels = TagColumn.Reader(cursor, _label);
        Func<TagSpan[]>? readSpans = _spans?.Reader(cursor);
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (_includes is not null && !_includes(row)) continue;
            TokenizedText text = readText();
            string?[] labels = readSpans is null ? readLabels() : SpanTags.Of(text, readSpans(), row);
            if (labels.Length != text.Words.Count)
            {
                throw new InvalidOperationException($"Row {row} has {text.Words.Count} tokens in column '{_text.Name}' and {labels.Length} tags in '{_label.Name}'; expected one tag per token.");
            }

            yield return (text, labels);
        }
    }
}
