using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>
/// The text that all prompts of a column begin with, which the column says of itself in an annotation: what reads prompts need read it once only. A column that is
/// computed anew does not have it.
/// </summary>
internal static class PromptBeginning
{
    private const string AnnotationName = "PromptBeginning";

    /// <summary>What an estimator promises of the annotation.</summary>
    public static SchemaShape? Promise(string beginning) => beginning.Length == 0 ? null : new SchemaShape([MLNetInterop.ShapeColumn(AnnotationName, SchemaShape.Column.VectorKind.Scalar, TextDataViewType.Instance, isKey: false)]);

    /// <summary>The beginning; empty where the column says nothing.</summary>
    public static string Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationName) is not { Type: TextDataViewType }) return "";
        ReadOnlyMemory<char> beginning = default;
        column.Annotations.GetValue(AnnotationName, ref beginning);
        return beginning.ToString();
    }

    /// <summary>An annotation that says it.</summary>
    public static DataViewSchema.Annotations? Annotate(string beginning)
    {
        if (beginning.Length == 0) return null;
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(AnnotationName, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = beginning.AsMemory());
        return builder.ToAnnotations();
    }
}
