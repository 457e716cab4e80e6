using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The score of a regression, bound to an input schema; row by row where a single row is asked for.</summary>
internal sealed class RegressionMap : ReadAheadMap<TextInput, float>
{
    private readonly SequenceRegressionTransformer _transformer;
    private readonly TextColumns _texts;

    public RegressionMap(SequenceRegressionTransformer transformer, DataViewSchema input)
        : this(transformer, input, TextColumns.Find(input, transformer.TextColumnName, transformer.TextPairColumnName))
    {
    }

    private RegressionMap(SequenceRegressionTransformer transformer, DataViewSchema input, TextColumns texts)
        : base(input, ClassificationSchema.AppendScore(input, transformer.ScoreColumnName)) =>
        (_transformer, _texts, Inputs) = (transformer, texts, [.. texts.All.Select(column => column.Index)]);

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<TextInput> Reader(DataViewRow row) => _texts.Reader(row);

    public override int Characters(TextInput input) => input.Length;

    public override ReadAheadWindow<TextInput, float> NewWindow() => new ScoringWindow<TextInput, EncodedText, float>(_transformer);

    public override Delegate Getter(int outputColumn, Func<float> current) => (ValueGetter<float>)((ref float value) => value = current());
}
