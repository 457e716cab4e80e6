using Microsoft.ML;

namespace MLComponents.Transforms;

/// <summary>The columns of answers, bound to an input schema.</summary>
internal sealed class QuestionAnsweringMap : ReadAheadMap<QuestionAndContext, Answer[]>
{
    private readonly QuestionAnsweringTransformer _transformer;
    private readonly DataViewSchema.Column _context;
    private readonly DataViewSchema.Column _question;

    public QuestionAnsweringMap(QuestionAnsweringTransformer transformer, DataViewSchema input)
        : base(input, QuestionAnsweringSchema.Append(input, transformer.Settings))
    {
        _transformer = transformer;
        _context = ClassificationSchema.TextColumn(input, transformer.Settings.ContextColumnName);
        _question = ClassificationSchema.TextColumn(input, transformer.Settings.QuestionColumnName);
        Inputs = [_context.Index, _question.Index];
    }

    public override IReadOnlyCollection<int> Inputs { get; }

    public override int FirstRows => _transformer.Settings.BatchSize;

    public override int MostRows => _transformer.Settings.LookAhead;

    public override void CheckAlive() => _transformer.CheckAlive();

    public override Func<QuestionAndContext> Reader(DataViewRow row)
    {
        ValueGetter<ReadOnlyMemory<char>> context = row.GetGetter<ReadOnlyMemory<char>>(_context);
        ValueGetter<ReadOnlyMemory<char>> question = row.GetGetter<ReadOnlyMemory<char>>(_question);
        return () =>
        {
            ReadOnlyMemory<char> text = default, asked = default;
            context(ref text);
            question(ref asked);
            return new QuestionAndContext(asked, text);
        };
    }

    public override int Characters(QuestionAndContext input) => input.Question.Length + input.Context.Length;

    public override ReadAheadWindow<QuestionAndContext, Answer[]> NewWindow() => new ScoringWindow<QuestionAndContext, QuestionRow, Answer[]>(_transformer);

    public override Delegate Getter(int outputColumn, Func<Answer[]> current) => (outputColumn - InputSchema.Count) switch
    {
        0 => VectorGetter.Of(() => Array.ConvertAll(current(), answer => answer.Text)),
        1 => VectorGetter.Of(() => Array.ConvertAll(current(), answer => answer.Score)),
        _ => VectorGetter.Of(() => Array.ConvertAll(current(), answer => answer.Start)),
    };
}
