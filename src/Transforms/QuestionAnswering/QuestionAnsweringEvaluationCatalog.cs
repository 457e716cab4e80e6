using Microsoft.ML.Data;
using MLComponents.Transforms;

namespace Microsoft.ML;

/// <summary>Adds <c>EvaluateQuestionAnswering</c> to <c>mlContext.MulticlassClassification</c>.</summary>
public static class QuestionAnsweringEvaluationCatalog
{
    /// <summary>Compares answers with true ones as the official evaluation of SQuAD does.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="data">Scored data; read once.</param>
    /// <param name="labelColumnName">The true answer: a text, or a vector of texts of which any is right; an empty text, or none, where the context has no answer.</param>
    /// <param name="answerColumnName">The answer: a text, or a vector of texts of which the first counts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public static QuestionAnsweringMetrics EvaluateQuestionAnswering(
        this MulticlassClassificationCatalog catalog, IDataView data, string labelColumnName = "TrainingAnswer", string answerColumnName = "Answer")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        DataViewSchema.Column label = TokenClassificationSchema.TextColumn(data.Schema, labelColumnName);
        DataViewSchema.Column answer = TokenClassificationSchema.TextColumn(data.Schema, answerColumnName);
        using DataViewRowCursor cursor = data.GetRowCursor([label, answer]);
        Func<string[]> actualTexts = Texts(cursor, label), answers = Texts(cursor, answer);
        double exact = 0, f1 = 0;
        long questions = 0;
        while (cursor.MoveNext())
        {
            string[] predicted = AnswerComparison.Words(answers().FirstOrDefault() ?? "");
            string[][] actual = Array.ConvertAll(actualTexts() is { Length: > 0 } some ? some : [""], AnswerComparison.Words);
            exact += actual.Max(words => AnswerComparison.ExactMatch(predicted, words));
            f1 += actual.Max(words => AnswerComparison.F1(predicted, words));
            questions++;
        }

        if (questions == 0) throw new InvalidOperationException("There are no rows to evaluate.");
        return new QuestionAnsweringMetrics(exact / questions, f1 / questions, questions);
    }

    private static Func<string[]> Texts(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> one = row.GetGetter<ReadOnlyMemory<char>>(column);
            return () =>
            {
                ReadOnlyMemory<char> value = default;
                one(ref value);
                return [value.ToString()];
            };
        }

        ValueGetter<VBuffer<ReadOnlyMemory<char>>> several = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
        VBuffer<ReadOnlyMemory<char>> buffer = default;
        return () =>
        {
            several(ref buffer);
            return [.. buffer.DenseValues().Select(text => text.ToString())];
        };
    }
}
