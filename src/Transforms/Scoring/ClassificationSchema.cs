using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that a classifier adds, with what ML.NET's evaluators want to know of them: in a schema, and in an estimator's promise of one.</summary>
internal static class ClassificationSchema
{
    /// <summary>How messages call the column of the second texts of pairs: by the option that names it.</summary>
    public const string PairColumn = "text pair column (TextPairColumnName)";

    private static readonly KeyDataViewType s_setIdType = new(typeof(uint), int.MaxValue - 1);

    /// <summary>The input's columns and then PredictedLabel, Score and Probability.</summary>
    public static DataViewSchema Append(DataViewSchema input, SequenceClassificationSettings settings, ClassLabels labels)
    {
        uint set = NextSetId(input);
        if (labels.IsMultiLabel) return AppendVectors(input, settings, labels, set);
        string kind = labels.IsBinary ? "BinaryClassification" : "MulticlassClassification";

        DataViewSchema.Annotations.Builder predicted = Describe(kind, "PredictedLabel", set);
        DataViewSchema.Annotations.Builder score = Describe(kind, labels.IsBinary ? "Score" : "Probability", set);
        DataViewSchema.Annotations.Builder probability = Describe(kind, "Probability", set);
        if (labels.IsBinary)
        {
            probability.AddPrimitiveValue(AnnotationNames.IsNormalized, BooleanDataViewType.Instance, true);
        }
        else
        {
            labels.Annotate(predicted, AnnotationNames.KeyValues);
            labels.Annotate(score, AnnotationNames.TrainingLabelValues);
            NameSlots(score, labels);
        }

        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumn(settings.PredictedLabelColumnName,
            labels.IsBinary ? BooleanDataViewType.Instance : new KeyDataViewType(typeof(uint), labels.Count), predicted.ToAnnotations());
        builder.AddColumn(settings.ScoreColumnName,
            labels.IsBinary ? NumberDataViewType.Single : new VectorDataViewType(NumberDataViewType.Single, labels.Count), score.ToAnnotations());
        builder.AddColumn(settings.ProbabilityColumnName, NumberDataViewType.Single, probability.ToAnnotations());
        return builder.ToSchema();
    }

    /// <summary>The input's columns and then the score of a regression.</summary>
    public static DataViewSchema AppendScore(DataViewSchema input, string scoreColumnName)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumn(scoreColumnName, NumberDataViewType.Single, Describe("Regression", "Score", NextSetId(input)).ToAnnotations());
        return builder.ToSchema();
    }

    /// <summary>What an estimator promises of a regression.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public static SchemaShape PromiseScore(SchemaShape input, string textColumnName, string? textPairColumnName, string scoreColumnName)
    {
        CheckTexts(input, textColumnName, textPairColumnName);
        SchemaShape added = MLNetInterop.ShapeOf(AppendScore(new DataViewSchema.Builder().ToSchema(), scoreColumnName));
        return new SchemaShape(input.Where(column => column.Name != scoreColumnName).Concat(added));
    }

    /// <summary>One slot per label in each column.</summary>
    private static DataViewSchema AppendVectors(DataViewSchema input, SequenceClassificationSettings settings, ClassLabels labels, uint set)
    {
        const string Kind = "MultiLabelClassification";
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        Add(settings.PredictedLabelColumnName, BooleanDataViewType.Instance, "PredictedLabel");
        Add(settings.ScoreColumnName, NumberDataViewType.Single, "Score");
        Add(settings.ProbabilityColumnName, NumberDataViewType.Single, "Probability");
        return builder.ToSchema();

        void Add(string name, PrimitiveDataViewType type, string valueKind)
        {
            DataViewSchema.Annotations.Builder annotations = Describe(Kind, valueKind, set);
            NameSlots(annotations, labels);
            builder.AddColumn(name, new VectorDataViewType(type, labels.Count), annotations.ToAnnotations());
        }
    }

    private static void NameSlots(DataViewSchema.Annotations.Builder annotations, ClassLabels labels)
    {
        ReadOnlyMemory<char>[] names = [.. labels.Names.Select(name => name.AsMemory())];
        annotations.Add(AnnotationNames.SlotNames, new VectorDataViewType(TextDataViewType.Instance, names.Length),
            (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref VBuffer<ReadOnlyMemory<char>> value) => new VBuffer<ReadOnlyMemory<char>>(names.Length, names).CopyTo(ref value)));
    }

    /// <summary>What an estimator promises: the input's columns with the added ones in place of any of the same name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A text column is missing or no text.</exception>
    public static SchemaShape Promise(SchemaShape input, SequenceClassificationSettings settings, ClassLabels labels)
    {
        CheckTexts(input, settings.TextColumnName, settings.TextPairColumnName);
        return PromisedSchema.With(input, schema => Append(schema, settings, labels));
    }

    /// <summary>The text column of a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or no text.</exception>
    public static DataViewSchema.Column TextColumn(DataViewSchema input, string name, string role = "text column")
    {
        DataViewSchema.Column? found = input.GetColumnOrNull(name);
        if (found is { Type: TextDataViewType } text) return text;
        throw Mismatch(name, found?.Type.ToString(), input.Where(column => !column.IsHidden).Select(column => column.Name), role);
    }

    /// <summary>Throws where a shape has no such text column.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or no text.</exception>
    public static void CheckText(SchemaShape input, string name, string role = "text column")
    {
        SchemaShape.Column? found = null;
        foreach (SchemaShape.Column column in input)
            if (column.Name == name) found = column;
        if (found is not { Kind: SchemaShape.Column.VectorKind.Scalar, ItemType: TextDataViewType, IsKey: false })
            throw Mismatch(name, found is null ? null : PromptColumns.Describe(found.Value), input.Select(column => column.Name), role);
    }

    /// <summary>Throws where a shape lacks a text column, or that of the second texts of pairs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is missing or no text.</exception>
    public static void CheckTexts(SchemaShape input, string text, string? pair)
    {
        CheckText(input, text);
        if (pair is not null) CheckText(input, pair, PairColumn);
    }

    /// <summary>What is thrown for a column that is missing or no text.</summary>
    public static ArgumentOutOfRangeException Mismatch(string name, string? found, IEnumerable<string> columns, string role = "text column") => OutOfRange.Error(
        $"Schema mismatch for {role} '{name}': expected String (a text scalar), got {found ?? "no such column"}. The columns are {string.Join(", ", columns.Select(column => $"'{column}'"))}.");

    private static DataViewSchema.Annotations.Builder Describe(string columnKind, string valueKind, uint set)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        builder.AddPrimitiveValue(AnnotationNames.ScoreColumnKind, TextDataViewType.Instance, columnKind.AsMemory());
        builder.AddPrimitiveValue(AnnotationNames.ScoreValueKind, TextDataViewType.Instance, valueKind.AsMemory());
        builder.AddPrimitiveValue(AnnotationNames.ScoreColumnSetId, s_setIdType, set);
        return builder;
    }

    /// <summary>The number that tells one classifier's columns from another's: one more than the largest so far.</summary>
    private static uint NextSetId(DataViewSchema schema)
    {
        uint largest = 0;
        foreach (DataViewSchema.Column column in schema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(AnnotationNames.ScoreColumnSetId) is not { } id || id.Type.RawType != typeof(uint)) continue;
            uint value = 0;
            column.Annotations.GetValue(AnnotationNames.ScoreColumnSetId, ref value);
            largest = Math.Max(largest, value);
        }
        return largest + 1;
    }
}
