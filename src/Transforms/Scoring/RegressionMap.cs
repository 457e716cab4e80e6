using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The score of a regression, bound to an input schema; row by row where a single row is asked for.</summary>
internal sealed class RegressionMap : ReadAheadMap<ReadOnlyMemory<char>, float>
{
    private readonly SequenceRegressionTransformer _transformer;
    private readonly DataViewSchema.Column _text;

    public RegressionMap(SequenceRegressionTransformer transformer, DataViewSchema input)
        : this(transformer, input, ClassificationSchema.TextColumn(input, transformer.TextColumnName))
    {
    }

    private RegressionMap(SequenceRegressionTransformer transformer, DataViewSchema input, DataViewSchema.Column text)
        : base(input, ClassificationSchema.AppendScore(input, transformer.ScoreColumnName)) => (_transformer, _text, Inputs) = (transformer, text, [text.Index]);

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<ReadOnlyMemory<char>> Reader(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(_text);
        return () =>
        {
            ReadOnlyMemory<char> value = default;
            text(ref value);
            return value;
        };
    }

    public override int Characters(ReadOnlyMemory<char> input) => input.Length;

    public override ReadAheadWindow<ReadOnlyMemory<char>, float> NewWindow() => new ScoringWindow<ReadOnlyMemory<char>, EncodedText, float>(_transformer);

    public override Delegate Getter(int outputColumn, Func<float> current) => (ValueGetter<float>)((ref float value) => value = current());
}
