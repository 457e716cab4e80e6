using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>The questions, contexts and answers of a data set, read as a stream; all rows or a fixed share of them.</summary>
internal sealed class AnsweredQuestions : ISplitRows<AnsweredQuestions>
{
    private readonly IDataView _data;
    private readonly DataViewSchema.Column _context, _question, _answer, _start;
    private readonly Func<long, bool>? _includes;

    /// <summary>Looks up the columns.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public AnsweredQuestions(IDataView data, string contextColumnName, string questionColumnName, string answerColumnName, string startColumnName)
    {
        _data = data;
        _context = ClassificationSchema.TextColumn(data.Schema, contextColumnName);
        _question = ClassificationSchema.TextColumn(data.Schema, questionColumnName);
        _answer = TokenClassificationSchema.TextColumn(data.Schema, answerColumnName);
        bool several = _answer.Type is VectorDataViewType;
        _start = data.Schema.GetColumnOrNull(startColumnName) is { } start && start.Type is var type
            && (several ? type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Int32 : type == NumberDataViewType.Int32)
            ? start
            : throw OutOfRange.Error($"Schema mismatch for column '{startColumnName}': expected {(several ? "a vector of Int32" : "Int32")}, where in '{contextColumnName}' the answer of '{answerColumnName}' begins, got {data.Schema.GetColumnOrNull(startColumnName)?.Type.ToString() ?? "no such column"}.");
    }

    private AnsweredQuestions(AnsweredQuestions all, Func<long, bool> includes)
    {
        (_data, _context, _question, _answer, _start) = (all._data, all._context, all._question, all._answer, all._start);
        _includes = includes;
    }

    /// <summary>Parts the rows in two by their number.</summary>
    public (AnsweredQuestions Remainder, AnsweredQuestions Part) Split(double fraction, int seed)
    {
        bool InPart(long row) => RowShare.Contains(row, fraction, seed);
        return (new AnsweredQuestions(this, row => !InPart(row)), new AnsweredQuestions(this, InPart));
    }

    /// <summary>Reads rows in the order of the data. Of several answers the first counts.</summary>
    /// <exception cref="InvalidOperationException">An answer does not stand where it is said to.</exception>
    public IEnumerable<AnsweredQuestion> Read()
    {
        using DataViewRowCursor cursor = _data.GetRowCursor([_context, _question, _answer, _start]);
        ValueGetter<ReadOnlyMemory<char>> context = cursor.GetGetter<ReadOnlyMemory<char>>(_context), question = cursor.GetGetter<ReadOnlyMemory<char>>(_question);
        Func<(string Text, int Start)> answer = Answers(cursor);
        ReadOnlyMemory<char> text = default, asked = default;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            if (_includes is not null && !_includes(row)) continue;
            context(ref text);
            question(ref asked);
            (string answered, int start) = answer();
            if (answered.Length > 0 && (start < 0 || start > text.Length - answered.Length || !text.Span.Slice(start, answered.Length).SequenceEqual(answered)))
            {
                string found = start < 0 || start >= text.Length ? "" : text.Span[start..Math.Min(text.Length, start + answered.Length)].ToString();
                throw new InvalidOperationException($"Row {row} says that the answer '{answered}' begins at character {start} of its context, where '{found}' stands. Places count UTF-16 characters from 0; leave the answer empty where the context has none.");
            }

            // The memory of a text is the cursor's.
            yield return new AnsweredQuestion(new QuestionAndContext(asked.ToString().AsMemory(), text.ToString().AsMemory()), answered, start);
        }
    }

    private Func<(string Text, int Start)> Answers(DataViewRow row)
    {
        if (_answer.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(_answer);
            ValueGetter<int> place = row.GetGetter<int>(_start);
            return () =>
            {
                ReadOnlyMemory<char> value = default;
                int start = 0;
                text(ref value);
                place(ref start);
                return (value.ToString(), start);
            };
        }

        ValueGetter<VBuffer<ReadOnlyMemory<char>>> texts = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(_answer);
        ValueGetter<VBuffer<int>> places = row.GetGetter<VBuffer<int>>(_start);
        VBuffer<ReadOnlyMemory<char>> values = default;
        VBuffer<int> starts = default;
        return () =>
        {
            texts(ref values);
            places(ref starts);
            if (values.Length != starts.Length) throw new InvalidOperationException($"Row {row.Position} has {values.Length} answers and {starts.Length} places; expected as many.");
            return values.Length == 0 ? ("", 0) : (values.GetItemOrDefault(0).ToString(), starts.GetItemOrDefault(0));
        };
    }
}
