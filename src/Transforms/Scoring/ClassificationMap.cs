using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The classifier's columns, bound to an input schema; row by row where a single row is asked for.</summary>
internal sealed class ClassificationMap : ReadAheadMap<TextInput, Classification>
{
    private readonly SequenceClassificationTransformer _transformer;
    private readonly TextColumns _texts;

    public ClassificationMap(SequenceClassificationTransformer transformer, DataViewSchema input)
        : this(transformer, input, TextColumns.Find(input, transformer.Settings.TextColumnName, transformer.Settings.TextPairColumnName))
    {
    }

    private ClassificationMap(SequenceClassificationTransformer transformer, DataViewSchema input, TextColumns texts)
        : base(input, ClassificationSchema.Append(input, transformer.Settings, transformer.Labels))
    {
        _transformer = transformer;
        _texts = texts;
        Inputs = [.. texts.All.Select(column => column.Index)];
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<TextInput> Reader(DataViewRow row) => _texts.Reader(row);

    public override int Characters(TextInput input) => input.Length;

    public override ReadAheadWindow<TextInput, Classification> NewWindow() => new ScoringWindow<TextInput, EncodedText, Classification>(_transformer);

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
