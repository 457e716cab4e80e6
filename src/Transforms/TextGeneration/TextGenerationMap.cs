using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The columns of generated texts, bound to an input schema.</summary>
internal sealed class TextGenerationMap : ReadAheadMap<GenerationPrompt, GeneratedText>
{
    private readonly TextGenerationTransformer _transformer;
    private readonly DataViewSchema.Column _input;
    private readonly DataViewSchema.Column? _system, _exampleInputs, _exampleOutputs;

    public TextGenerationMap(TextGenerationTransformer transformer, DataViewSchema input)
        : base(input, TextGenerationSchema.Append(input, transformer.Settings))
    {
        _transformer = transformer;
        ChatPromptOptions? chat = transformer.Settings.Options.Chat;
        _input = ClassificationSchema.TextColumn(input, transformer.Settings.InputColumnName);
        _system = chat?.SystemPromptColumnName is { } system ? ClassificationSchema.TextColumn(input, system) : null;
        _exampleInputs = chat?.ExampleInputsColumnName is { } inputs ? TextGenerationSchema.TextsColumn(input, inputs) : null;
        _exampleOutputs = chat?.ExampleOutputsColumnName is { } outputs ? TextGenerationSchema.TextsColumn(input, outputs) : null;
        Inputs = [.. new[] { _input, _system, _exampleInputs, _exampleOutputs }.OfType<DataViewSchema.Column>().Select(column => column.Index)];
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.Options.LookAhead;

    public override int MostRows => _transformer.Settings.Options.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<GenerationPrompt> Reader(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> input = row.GetGetter<ReadOnlyMemory<char>>(_input);
        ValueGetter<ReadOnlyMemory<char>>? system = _system is { } column ? row.GetGetter<ReadOnlyMemory<char>>(column) : null;
        Func<IReadOnlyList<ChatExample>> examples = ExampleReader(row);
        return () =>
        {
            ReadOnlyMemory<char> text = default, own = default;
            input(ref text);
            system?.Invoke(ref own);
            return new GenerationPrompt(text, own, examples());
        };
    }

    public override int Characters(GenerationPrompt input) =>
        input.Input.Length + input.SystemPrompt.Length + input.Examples.Sum(static example => example.Input.Length + example.Output.Length);

    public override ReadAheadWindow<GenerationPrompt, GeneratedText> NewWindow() => new GenerationWindow(_transformer);

    public override Delegate Getter(int outputColumn, Func<GeneratedText> current) => _transformer.Settings.Columns[outputColumn - InputSchema.Count].Getter(current);

    private Func<IReadOnlyList<ChatExample>> ExampleReader(DataViewRow row)
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
}
