using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns of generated texts, bound to an input schema.</summary>
internal sealed class TextGenerationMap : ReadAheadMap<GenerationPrompt, GeneratedText>
{
    private readonly TextGenerationTransformer _transformer;
    private readonly PromptReader _reader;

    public TextGenerationMap(TextGenerationTransformer transformer, DataViewSchema input)
        : base(input, TextGenerationSchema.Append(input, transformer.Settings))
    {
        _transformer = transformer;
        _reader = new PromptReader(input, transformer.Settings.InputColumnName, transformer.Settings.Options.Chat);
    }

    public override IReadOnlyCollection<int> Inputs => _reader.Inputs;

    // Rows that are read ahead wait for their turn and cost nothing until then: all of a window's rows share one batch that stays full.
    public override int FirstRows => MostRows;

    public override int MostRows => _transformer.Settings.Options.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<GenerationPrompt> Reader(DataViewRow row) => _reader.Open(row);

    public override int Characters(GenerationPrompt input) => input.Characters;

    public override ReadAheadWindow<GenerationPrompt, GeneratedText> NewWindow() => new GenerationWindow(_transformer, _reader.Beginning);

    public override Delegate Getter(int outputColumn, Func<GeneratedText> current) => _transformer.Settings.Columns[outputColumn - InputSchema.Count].Getter(current);
}
