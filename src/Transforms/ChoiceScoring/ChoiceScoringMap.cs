using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns of scored choices, bound to an input schema.</summary>
internal sealed class ChoiceScoringMap : ReadAheadMap<GenerationPrompt, ScoredChoices>
{
    private readonly ChoiceScoringTransformer _transformer;
    private readonly PromptReader _reader;

    public ChoiceScoringMap(ChoiceScoringTransformer transformer, DataViewSchema input)
        : base(input, ChoiceScoringSchema.Append(input, transformer.Settings))
    {
        _transformer = transformer;
        _reader = new PromptReader(input, transformer.Settings.InputColumnName, transformer.Settings.Options.Chat);
    }

    public override IReadOnlyCollection<int> Inputs => _reader.Inputs;

    public override int FirstRows => _transformer.Settings.Options.BatchSize;

    public override int MostRows => _transformer.Settings.Options.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<GenerationPrompt> Reader(DataViewRow row) => _reader.Open(row);

    public override int Characters(GenerationPrompt input) => input.Characters;

    public override ReadAheadWindow<GenerationPrompt, ScoredChoices> NewWindow() => new ScoringWindow<GenerationPrompt, EncodedText, ScoredChoices>(new ChoiceBatchScorer(_transformer, _reader.Beginning));

    public override Delegate Getter(int outputColumn, Func<ScoredChoices> current) => (outputColumn - InputSchema.Count) switch
    {
        0 => (ValueGetter<uint>)((ref uint value) => value = (uint)current().Said.Label + 1),
        1 => VectorGetter.Of(() => current().Said.Scores),
        2 => (ValueGetter<float>)((ref float value) => value = current().Said.Probability),
        _ => VectorGetter.Of(() => current().LogLikelihoods),
    };
}
