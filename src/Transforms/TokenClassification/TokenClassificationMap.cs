using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The token classifier's columns, bound to an input schema.</summary>
internal sealed class TokenClassificationMap : ReadAheadMap<TokenizedText, TaggedText>
{
    private readonly TokenClassificationTransformer _transformer;
    private readonly DataViewSchema.Column _text;
    private readonly bool _textIsWhole;

    public TokenClassificationMap(TokenClassificationTransformer transformer, DataViewSchema input)
        : this(transformer, input, TokenClassificationSchema.TextColumn(input, transformer.Settings.TextColumnName))
    {
    }

    private TokenClassificationMap(TokenClassificationTransformer transformer, DataViewSchema input, DataViewSchema.Column text)
        : base(input, TokenClassificationSchema.Append(input, transformer.Settings, transformer.Labels, text.Type is TextDataViewType))
    {
        (_transformer, _text, _textIsWhole) = (transformer, text, text.Type is TextDataViewType);
        Inputs = [text.Index];
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<TokenizedText> Reader(DataViewRow row) => TokenizedTexts.Reader(row, _text);

    public override int Characters(TokenizedText input) => input.Text.Length;

    public override ReadAheadWindow<TokenizedText, TaggedText> NewWindow() =>
        new ScoringWindow<TokenizedText, TokenizedRow, TaggedText>(new TokenClassificationScoring(_transformer, _textIsWhole));

    public override Delegate Getter(int outputColumn, Func<TaggedText> current) => (outputColumn - InputSchema.Count + (_textIsWhole ? 0 : 1)) switch
    {
        0 => VectorGetter.Of(() => current().Words),
        1 => VectorGetter.Of(() => Array.ConvertAll(current().Labels, label => (uint)label + 1)),
        2 => VectorGetter.Of(() => current().Probabilities),
        3 => VectorGetter.Of(() => Array.ConvertAll(current().Entities, entity => entity.Text)),
        4 => VectorGetter.Of(() => Array.ConvertAll(current().Entities, entity => entity.Label.AsMemory())),
        5 => VectorGetter.Of(() => Array.ConvertAll(current().Entities, entity => entity.Start)),
        6 => VectorGetter.Of(() => Array.ConvertAll(current().Entities, entity => entity.Length)),
        _ => VectorGetter.Of(() => Array.ConvertAll(current().Entities, entity => entity.Probability)),
    };
}
