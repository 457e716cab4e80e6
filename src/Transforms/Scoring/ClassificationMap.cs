using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The classifier's columns, bound to an input schema; row by row where a single row is asked for.</summary>
internal sealed class ClassificationMap : ReadAheadMap<ReadOnlyMemory<char>, Classification>
{
    private readonly SequenceClassificationTransformer _transformer;

    public ClassificationMap(SequenceClassificationTransformer transformer, DataViewSchema input)
        : this(transformer, input, ClassificationSchema.TextColumn(input, transformer.Settings.TextColumnName))
    {
    }

    private ClassificationMap(SequenceClassificationTransformer transformer, DataViewSchema input, DataViewSchema.Column text)
        : base(input, ClassificationSchema.Append(input, transformer.Settings, transformer.Labels))
    {
        _transformer = transformer;
        Text = text;
        Inputs = [text.Index];
    }

    public DataViewSchema.Column Text { get; }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<ReadOnlyMemory<char>> Reader(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(Text);
        return () =>
        {
            ReadOnlyMemory<char> value = default;
            text(ref value);
            return value;
        };
    }

    public override int Characters(ReadOnlyMemory<char> input) => input.Length;

    public override ReadAheadWindow<ReadOnlyMemory<char>, Classification> NewWindow() =>
        new ScoringWindow<ReadOnlyMemory<char>, EncodedText, Classification>(_transformer);

    public override Delegate Getter(int outputColumn, Func<Classification> current) => _transformer.Labels.IsMultiLabel
        ? (outputColumn - InputSchema.Count) switch
        {
            0 => VectorGetter.Of(() => Array.ConvertAll(current().Scores, logit => logit > 0)),
            1 => VectorGetter.Of(() => current().Scores),
            _ => VectorGetter.Of(() => Array.ConvertAll(current().Scores, Classification.Sigmoid)),
        }
        : SingleLabelGetter(outputColumn, current);

    private Delegate SingleLabelGetter(int outputColumn, Func<Classification> current) => (outputColumn - InputSchema.Count, _transformer.Labels.IsBinary) switch
    {
        (0, true) => (ValueGetter<bool>)((ref bool value) => value = current().Label == 1),
        (0, false) => (ValueGetter<uint>)((ref uint value) => value = (uint)current().Label + 1),
        (1, true) => (ValueGetter<float>)((ref float value) => value = current().Scores[0]),
        (1, false) => VectorGetter.Of(() => current().Scores),
        _ => (ValueGetter<float>)((ref float value) => value = current().Probability),
    };
}
