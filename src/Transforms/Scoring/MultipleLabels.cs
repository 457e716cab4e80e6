using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>Labels of which a text has any number: the slots of a vector of Booleans, or the values of a vector of keys.</summary>
internal sealed class MultipleLabels(IReadOnlyList<string> names) : ClassLabels
{
    public const byte Code = 64;

    public override bool IsMultiLabel => true;

    public override int Count => names.Count;

    public override IReadOnlyList<string> Names => names;

    /// <summary>The labels of a vector column: its slot names or numbers, or the key values of its keys.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is no such vector.</exception>
    public static MultipleLabels OfColumn(DataViewSchema.Column label)
    {
        if (label.Type is VectorDataViewType { ItemType: KeyDataViewType keys })
        {
            var scalar = new DataViewSchema.Builder();
            scalar.AddColumn(label.Name, keys, label.Annotations);
            return new MultipleLabels(FromKeyColumn(scalar.ToSchema()[0]).Names);
        }

        if (label.Type is not VectorDataViewType { ItemType: BooleanDataViewType, IsKnownSize: true } vector)
            throw OutOfRange.Error($"Schema mismatch for label column '{label.Name}': expected a vector of Booleans of known size, or of keys, got {label.Type}.", "inputSchema");
        VBuffer<ReadOnlyMemory<char>> slots = default;
        if (label.HasSlotNames()) label.GetSlotNames(ref slots);
        ReadOnlyMemory<char>[] named = [.. slots.DenseValues()];
        return new MultipleLabels([.. Enumerable.Range(0, vector.Size).Select(slot =>
            slot < named.Length && named[slot].Length > 0 ? named[slot].ToString() : slot.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
    }

    public override void Annotate(DataViewSchema.Annotations.Builder builder, string name)
    {
    }

    /// <summary>Reads the names.</summary>
    internal static MultipleLabels ReadNames(BinaryReader reader, int count)
    {
        var names = new List<string>();
        for (int i = 0; i < count; i++) names.Add(reader.ReadString());
        return new MultipleLabels(names);
    }

    protected override void WriteValues(BinaryWriter writer)
    {
        writer.Write(Code);
        foreach (string name in names) writer.Write(name);
    }
}
