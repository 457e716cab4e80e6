using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Entities that three columns hold: what they are, where they begin and how long they are, in UTF-16 characters.</summary>
internal sealed class SpanColumns
{
    private readonly DataViewSchema.Column _label, _start, _length;

    /// <summary>Looks up the columns.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="label">A vector of texts, or of keys whose values are texts.</param>
    /// <param name="start">A vector of Int32.</param>
    /// <param name="length">A vector of Int32.</param>
    /// <param name="otherwise">What else the caller could do where the places are not there, for the message.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public SpanColumns(DataViewSchema schema, string label, string start, string length, string otherwise = "")
    {
        (_label, _start, _length) = (TagColumn.Find(schema, label), Integers(start), Integers(length));

        DataViewSchema.Column Integers(string name) => schema.GetColumnOrNull(name) is { Type: VectorDataViewType { ItemType: NumberDataViewType item } } column && item == NumberDataViewType.Int32
            ? column
            : throw OutOfRange.Error($"Schema mismatch for column '{name}': expected a vector of Int32 with the places, in characters, of the entities that '{label}' names, which belong to a whole text, got {schema.GetColumnOrNull(name)?.Type.ToString() ?? "no such column"}.{otherwise}");
    }

    /// <summary>The columns.</summary>
    public IEnumerable<DataViewSchema.Column> All => [_label, _start, _length];

    /// <summary>What reads the entities of the row that <paramref name="row"/> stands on; it throws <see cref="InvalidOperationException"/> where the vectors differ in length, a label is missing or a place is none.</summary>
    public Func<TagSpan[]> Reader(DataViewRow row)
    {
        Func<string?[]> labels = TagColumn.Reader(row, _label);
        ValueGetter<VBuffer<int>> starts = row.GetGetter<VBuffer<int>>(_start), lengths = row.GetGetter<VBuffer<int>>(_length);
        VBuffer<int> start = default, length = default;
        return () =>
        {
            string?[] types = labels();
            starts(ref start);
            lengths(ref length);
            if (start.Length != types.Length || length.Length != types.Length)
                throw new InvalidOperationException($"Row {row.Position} has {types.Length} entities in column '{_label.Name}', {start.Length} in '{_start.Name}' and {length.Length} in '{_length.Name}'; expected as many in each.");
            if (Array.FindIndex(types, string.IsNullOrEmpty) is >= 0 and int missing)
                throw new InvalidOperationException($"Row {row.Position} has an entity without a label in column '{_label.Name}', at place {missing}.");
            if (start.DenseValues().Any(static first => first < 0) || length.DenseValues().Any(static count => count < 1))
                throw new InvalidOperationException($"Row {row.Position} has an entity that begins before the text or has no character, in columns '{_start.Name}' and '{_length.Name}'; expected starts from 0 and lengths from 1.");
            return [.. types.Zip(start.DenseValues(), length.DenseValues()).Select(static entity => new TagSpan(entity.First!, entity.Second, entity.Third))];
        };
    }
}
