using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>What a classifier tells apart: <see langword="false"/> and <see langword="true"/>, the values of a key column, of whatever type they have, or labels of which a text has any number.</summary>
internal abstract class ClassLabels
{
    /// <summary>A model file with more labels than this is not believed.</summary>
    private const int MostLabels = 1 << 24;

    /// <summary>The two values of a Boolean label.</summary>
    public static ClassLabels Binary { get; } = new BinaryLabels();

    public virtual bool IsBinary => false;

    /// <summary>Whether a text may have any number of them.</summary>
    public virtual bool IsMultiLabel => false;

    /// <summary>How many labels there are; 2 for a binary classifier.</summary>
    public abstract int Count { get; }

    /// <summary>The labels as text; for a key without values its numbers, counted from 0 as ML.NET shows them.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Adds the values, in their own type, under an annotation's name; nothing for a key without values.</summary>
    public abstract void Annotate(DataViewSchema.Annotations.Builder builder, string name);

    protected abstract void WriteValues(BinaryWriter writer);

    /// <summary>The labels of a training set's key column: its key values where it has them, else its numbers.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is not a key, or its values are of a type that cannot be stored.</exception>
    public static ClassLabels FromKeyColumn(DataViewSchema.Column label)
    {
        if (label.Type is not KeyDataViewType key)
            throw new ArgumentOutOfRangeException(nameof(label), $"Schema mismatch for label column '{label.Name}': expected a key, got {label.Type}. Add ml.Transforms.Conversion.MapValueToKey(\"{label.Name}\").");
        if (key.Count > MostLabels)
            throw new ArgumentOutOfRangeException(nameof(label), $"Label column '{label.Name}' has {key.Count} keys; a classifier takes at most {MostLabels}.");
        if (label.Annotations.Schema.GetColumnOrNull(AnnotationNames.KeyValues) is not { Type: VectorDataViewType values } column) return new Numbered((int)key.Count);
        LabelValueKind kind = LabelValueKind.Of(values.ItemType)
            ?? throw new ArgumentOutOfRangeException(nameof(label), $"The key values of label column '{label.Name}' are of type {values.ItemType}; expected one of {LabelValueKind.Supported}.");
        return kind.FromAnnotation(label.Annotations, column);
    }

    /// <summary>What stands for the labels of a key column of which only the shape is known, before training.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is not a key, or its values are of a type that cannot be stored.</exception>
    public static ClassLabels OfShape(SchemaShape.Column label)
    {
        if (!label.IsKey || label.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw new ArgumentOutOfRangeException(nameof(label), $"Schema mismatch for label column '{label.Name}': expected a key, got {PromptColumns.Describe(label)}. Add ml.Transforms.Conversion.MapValueToKey(\"{label.Name}\").");
        DataViewType? values = null;
        foreach (SchemaShape.Column annotation in label.Annotations)
            if (annotation.Name == AnnotationNames.KeyValues) values = annotation.ItemType;
        return Placeholder(values);
    }

    /// <summary>Two nameless labels with values of a type: what stands for the labels where only their type is known yet.</summary>
    /// <param name="valueType">The type of the key values; null for a key without values.</param>
    public static ClassLabels Placeholder(DataViewType? valueType) => valueType is null
        ? new Numbered(2)
        : (LabelValueKind.Of(valueType) ?? throw new ArgumentOutOfRangeException(nameof(valueType), $"Labels of type {valueType} are not supported; expected one of {LabelValueKind.Supported}.")).Placeholder();

    /// <summary>Text labels, in the order of the model's outputs.</summary>
    public static ClassLabels Text(IEnumerable<string> names) =>
        LabelValueKind.Of(TextDataViewType.Instance)!.FromValues(names.Select(name => (object)name.AsMemory()).ToArray());

    public void Write(BinaryWriter writer)
    {
        writer.Write(Count);
        WriteValues(writer);
    }

    public static ClassLabels Read(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        byte code = reader.ReadByte();
        if (count is < 1 or > MostLabels) throw new FormatException($"The model file's label count is {count}; expected 1 to {MostLabels}.");
        return code switch
        {
            BinaryLabels.Code => Binary,
            Numbered.Code => new Numbered(count),
            MultipleLabels.Code => MultipleLabels.ReadNames(reader, count),
            _ => (LabelValueKind.Of(code) ?? throw new FormatException($"The model file's label type {code} is unknown.")).Read(reader, count),
        };
    }

    private sealed class BinaryLabels : ClassLabels
    {
        public const byte Code = 0;

        public override bool IsBinary => true;

        public override int Count => 2;

        public override IReadOnlyList<string> Names => ["false", "true"];

        public override void Annotate(DataViewSchema.Annotations.Builder builder, string name)
        {
        }

        protected override void WriteValues(BinaryWriter writer) => writer.Write(Code);
    }

    private sealed class Numbered(int count) : ClassLabels
    {
        public const byte Code = 1;

        public override int Count => count;

        public override IReadOnlyList<string> Names { get; } =
            [.. Enumerable.Range(0, count).Select(key => key.ToString(CultureInfo.InvariantCulture))];

        public override void Annotate(DataViewSchema.Annotations.Builder builder, string name)
        {
        }

        protected override void WriteValues(BinaryWriter writer) => writer.Write(Code);
    }

    internal sealed class Valued<TValue>(LabelValueKind<TValue> kind, TValue[] values) : ClassLabels
    {
        public override int Count => values.Length;

        public override IReadOnlyList<string> Names { get; } = Array.ConvertAll(values, kind.Name);

        public override void Annotate(DataViewSchema.Annotations.Builder builder, string name) =>
            builder.Add(name, new VectorDataViewType((PrimitiveDataViewType)kind.ItemType, values.Length),
                (ValueGetter<VBuffer<TValue>>)((ref VBuffer<TValue> destination) =>
                {
                    VBufferEditor<TValue> editor = VBufferEditor.Create(ref destination, values.Length);
                    values.CopyTo(editor.Values);
                    destination = editor.Commit();
                }));

        protected override void WriteValues(BinaryWriter writer)
        {
            writer.Write(kind.Code);
            foreach (TValue value in values) kind.WriteValue(writer, value);
        }
    }
}
