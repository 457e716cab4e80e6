using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLComponents.Transforms;

/// <summary>The classifier's columns, bound to an input schema; row by row where a single row is asked for.</summary>
internal sealed class ClassificationMap : RowMap
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

    public override RowComputation Open(DataViewRow input) => new SingleRow(this, input);

    /// <summary>The getter of an added column over whatever gives the current row's classification.</summary>
    public Delegate Getter(int outputColumn, Func<Classification> current) => (outputColumn - InputSchema.Count, _transformer.Labels.IsBinary) switch
    {
        (0, true) => (ValueGetter<bool>)((ref bool value) => value = current().Label == 1),
        (0, false) => (ValueGetter<uint>)((ref uint value) => value = (uint)current().Label + 1),
        (1, true) => (ValueGetter<float>)((ref float value) => value = current().Scores[0]),
        (1, false) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            float[] scores = current().Scores;
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, scores.Length);
            scores.CopyTo(editor.Values);
            value = editor.Commit();
        }),
        _ => (ValueGetter<float>)((ref float value) => value = current().Probability),
    };

    private sealed class SingleRow(ClassificationMap map, DataViewRow input) : RowComputation
    {
        private readonly ValueGetter<ReadOnlyMemory<char>> _text = input.GetGetter<ReadOnlyMemory<char>>(map.Text);
        private readonly TruncationReport _report = new();
        private long _position = long.MinValue;
        private Classification _current;

        public override Delegate Getter(int outputColumn) => map.Getter(outputColumn, Current);

        public override void Dispose() => _report.Tell(map._transformer);

        private Classification Current()
        {
            if (_position == input.Position) return _current;
            ReadOnlyMemory<char> text = default;
            _text(ref text);
            EncodedText encoded = map._transformer.Scorer.Encode(text.Span);
            _report.Count(encoded.Truncated);
            // An engine that lives for months is not disposed for months: its first cut text is reported at once.
            if (_report.Truncated == 1 && encoded.Truncated) _report.Tell(map._transformer);
            _current = map._transformer.Score([encoded.Ids])[0];
            _position = input.Position;
            return _current;
        }
    }
}
