using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>A column that is made of generated texts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Annotations">What it says of itself, or null.</param>
/// <param name="Getter">Makes the getter over whatever gives the current row's text.</param>
internal sealed record GeneratedColumn(string Name, DataViewType Type, DataViewSchema.Annotations? Annotations, Func<Func<GeneratedText>, Delegate> Getter)
{
    /// <summary>All columns that options ask for: the text first.</summary>
    public static IReadOnlyList<GeneratedColumn> All(string output, TextGenerationOptions options)
    {
        List<GeneratedColumn> columns = [options.Choices is { } choices ? Key(output, choices) : Of(output, TextDataViewType.Instance, static text => text.Text.AsMemory())];
        if (options.JsonSchema is { } schema) columns.AddRange(TypedProperty.Of(schema).Select(property => Property($"{output}.{property.Name}", property)));
        if (options.TokenIdsColumnName is { } ids)
            columns.Add(new GeneratedColumn(ids, new VectorDataViewType(NumberDataViewType.Int32), null, static current => VectorGetter.Of(() => current().Ids.ToArray())));
        if (options.LogProbabilityColumnName is { } probability) columns.Add(Of(probability, NumberDataViewType.Single, static text => text.LogProbability));
        if (options.FinishReasonColumnName is { } reason) columns.Add(Of(reason, TextDataViewType.Instance, static text => text.FinishReason.ToString().AsMemory()));
        return columns;
    }

    private static GeneratedColumn Of<T>(string name, DataViewType type, Func<GeneratedText, T> value, DataViewSchema.Annotations? annotations = null) =>
        new(name, type, annotations, current => (ValueGetter<T>)((ref T target) => target = value(current())));

    private static GeneratedColumn Key(string name, IReadOnlyList<string> choices)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        ClassLabels.Text(choices).Annotate(annotations, AnnotationNames.KeyValues);
        Dictionary<string, uint> keys = choices.Index().ToDictionary(static pair => pair.Item, static pair => (uint)pair.Index + 1, StringComparer.Ordinal);
        return Of(name, new KeyDataViewType(typeof(uint), choices.Count), text => keys[text.Text], annotations.ToAnnotations());
    }

    private static GeneratedColumn Property(string name, TypedProperty property) => property.Type switch
    {
        "string" => Of(name, TextDataViewType.Instance, text => text.Json.GetProperty(property.Name).GetString().AsMemory()),
        "integer" => Of(name, NumberDataViewType.Int64, text => (long)text.Json.GetProperty(property.Name).GetDecimal()),
        "number" => Of(name, NumberDataViewType.Double, text => text.Json.GetProperty(property.Name).GetDouble()),
        _ => Of(name, BooleanDataViewType.Instance, text => text.Json.GetProperty(property.Name).GetBoolean()),
    };
}
