using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns that prompts are made of, bound to an input schema.</summary>
internal sealed class PromptReader
{
    private readonly DataViewSchema.Column _input;
    private readonly DataViewSchema.Column? _system, _exampleInputs, _exampleOutputs;

    /// <param name="schema">The schema.</param>
    /// <param name="inputColumnName">The text column of the input.</param>
    /// <param name="chat">The conversation, or null.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public PromptReader(DataViewSchema schema, string inputColumnName, ChatPromptOptions? chat)
    {
        _input = ClassificationSchema.TextColumn(schema, inputColumnName);
        _system = chat?.SystemPromptColumnName is { } system ? ClassificationSchema.TextColumn(schema, system) : null;
        _exampleInputs = chat?.ExampleInputsColumnName is { } inputs ? TextsColumn(schema, inputs) : null;
        _exampleOutputs = chat?.ExampleOutputsColumnName is { } outputs ? TextsColumn(schema, outputs) : null;
        Inputs = [.. new[] { _input, _system, _exampleInputs, _exampleOutputs }.OfType<DataViewSchema.Column>().Select(column => column.Index)];
    }

    /// <summary>What the texts of the input begin with.</summary>
    public string Beginning => PromptBeginning.Of(_input);

    /// <summary>Indexes of the columns.</summary>
    public IReadOnlyCollection<int> Inputs { get; }

    /// <summary>Throws where a shape lacks a column, or has it in another type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public static void Check(SchemaShape shape, string inputColumnName, ChatPromptOptions? chat)
    {
        Dictionary<string, SchemaShape.Column> columns = shape.ToDictionary(column => column.Name);
        One(inputColumnName, isVector: false);
        One(chat?.SystemPromptColumnName, isVector: false);
        One(chat?.ExampleInputsColumnName, isVector: true);
        One(chat?.ExampleOutputsColumnName, isVector: true);

        void One(string? name, bool isVector)
        {
            if (name is null) return;
            string? found = columns.TryGetValue(name, out SchemaShape.Column column) ? PromptColumns.Describe(column) : null;
            if (found is not null && column is { ItemType: TextDataViewType, IsKey: false } && (column.Kind != SchemaShape.Column.VectorKind.Scalar) == isVector) return;
            throw isVector ? Mismatch(name, found, columns.Keys) : ClassificationSchema.Mismatch(name, found, columns.Keys);
        }
    }

    /// <summary>What reads the prompt from the row that <paramref name="row"/> stands on.</summary>
    public Func<GenerationPrompt> Open(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> input = row.GetGetter<ReadOnlyMemory<char>>(_input);
        ValueGetter<ReadOnlyMemory<char>>? system = _system is { } column ? row.GetGetter<ReadOnlyMemory<char>>(column) : null;
        Func<IReadOnlyList<ChatExample>> examples = Examples(row);
        return () =>
        {
            ReadOnlyMemory<char> text = default, own = default;
            input(ref text);
            system?.Invoke(ref own);
            return new GenerationPrompt(text, own, examples());
        };
    }

    private Func<IReadOnlyList<ChatExample>> Examples(DataViewRow row)
    {
        if (_exampleInputs is not { } inputColumn || _exampleOutputs is not { } outputColumn) return static () => [];
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> inputs = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(inputColumn);
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> outputs = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(outputColumn);
        VBuffer<ReadOnlyMemory<char>> said = default, answered = default;
        return () =>
        {
            inputs(ref said);
            outputs(ref answered);
            if (said.Length != answered.Length)
                throw new InvalidOperationException($"Row {row.Position} has {said.Length} texts in column '{inputColumn.Name}' and {answered.Length} in '{outputColumn.Name}'; expected one answer for each example.");
            return [.. said.DenseValues().Zip(answered.DenseValues(), static (one, other) => new ChatExample(one.ToString(), other.ToString()))];
        };
    }

    private static DataViewSchema.Column TextsColumn(DataViewSchema schema, string name)
    {
        DataViewSchema.Column? found = schema.GetColumnOrNull(name);
        if (found is { Type: VectorDataViewType { ItemType: TextDataViewType } } texts) return texts;
        throw Mismatch(name, found?.Type.ToString(), schema.Where(column => !column.IsHidden).Select(column => column.Name));
    }

    private static ArgumentOutOfRangeException Mismatch(string name, string? found, IEnumerable<string> columns) => OutOfRange.Error(
        $"Schema mismatch for column '{name}': expected a vector of String, got {found ?? "no such column"}. The columns are {string.Join(", ", columns.Select(column => $"'{column}'"))}.");
}
