using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns of likelihoods, bound to an input schema.</summary>
internal sealed class TextLikelihoodMap : ReadAheadMap<LanguageText, TextLikelihood>
{
    private readonly CausalLanguageModelTransformer _transformer;
    private readonly DataViewSchema.Column[] _columns;

    public TextLikelihoodMap(CausalLanguageModelTransformer transformer, DataViewSchema input)
        : base(input, TextLikelihoodSchema.Append(input, transformer.Settings))
    {
        _transformer = transformer;
        _columns = LanguageTexts.Columns(input, transformer.Settings.TextColumnName, transformer.Settings.PromptColumnName);
        Inputs = Array.ConvertAll(_columns, column => column.Index);
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<LanguageText> Reader(DataViewRow row) => LanguageTexts.Reader(row, _columns);

    public override int Characters(LanguageText input) => input.Text.Length + (input.Prompt?.Length ?? 0);

    public override ReadAheadWindow<LanguageText, TextLikelihood> NewWindow() => new ScoringWindow<LanguageText, LanguageRow, TextLikelihood>(_transformer);

    public override Delegate Getter(int outputColumn, Func<TextLikelihood> current) => (outputColumn - InputSchema.Count) switch
    {
        0 => (ValueGetter<float>)((ref float value) => value = (float)current().LogLikelihood),
        1 => (ValueGetter<int>)((ref int value) => value = current().Tokens),
        _ => (ValueGetter<float>)((ref float value) => value = (float)current().Perplexity),
    };
}
