using Microsoft.ML;
using Microsoft.ML.Data;
using MLComponents.Models;
using MLComponents.Transforms;

namespace MLComponents.Trainers.Tests;

public class QuestionAnsweringTests(TinyFolder folder) : IClassFixture<TinyFolder>
{
    private readonly MLContext _ml = new(seed: 1);

    private sealed class Row
    {
        public string Context { get; set; } = "";
        public string Question { get; set; } = "";
        public string TrainingAnswer { get; set; } = "";
        public int AnswerIndex { get; set; }
    }

    private QuestionAnsweringOptions Options(Action<QuestionAnsweringOptions>? change = null)
    {
        var options = new QuestionAnsweringOptions { Model = folder.Path, Precision = Precision.Float32, LearningRate = 1e-2, BatchSize = 8, Epochs = 8, MaxLength = 40, MaxAnswerLength = 4 };
        change?.Invoke(options);
        return options;
    }

    /// <summary>The answer is the number of three digits among letters.</summary>
    private static Row[] Rows(int count)
    {
        var random = new Random(4);
        string Letters(int most) => string.Join(' ', Enumerable.Range(0, random.Next(1, most)).Select(_ => new string((char)('a' + random.Next(6)), random.Next(1, 4))));
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            string before = Letters(6) + ' ', answer = random.Next(100, 999).ToString(), after = ' ' + Letters(6);
            return new Row { Context = before + answer + after, Question = "which?", TrainingAnswer = answer, AnswerIndex = before.Length };
        })];
    }

    [Theory]
    [InlineData(40)]
    [InlineData(20)] // contexts are read in several windows
    public void Answers_are_learnt_whatever_the_windows(int maxLength)
    {
        IDataView training = _ml.Data.LoadFromEnumerable(Rows(120)), test = _ml.Data.LoadFromEnumerable(Rows(150).Skip(120));
        var progress = new ProgressRecorder();
        using QuestionAnsweringTransformer transformer = _ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options(options =>
            (options.MaxLength, options.ValidationSet, options.Progress, options.ValidationMetric) = (maxLength, test, progress, ValidationMetric.F1))).Fit(training);
        IDataView answered = transformer.Transform(test);
        QuestionAnsweringMetrics metrics = _ml.MulticlassClassification.EvaluateQuestionAnswering(answered);
        Assert.InRange(metrics.ExactMatch, 0.8, 1);
        TrainingProgress best = progress.Validations.Last(validation => validation.Validation!.IsBest);
        Assert.Equal(best.Validation![ValidationMetric.F1], metrics.F1, 1e-9);
        Assert.Equal(best.Validation[ValidationMetric.ExactMatch], metrics.ExactMatch, 1e-9);
        EstimatorContract.CheckTransformer(_ml, transformer, test);
    }

    [Fact]
    public void Windows_point_to_the_answer_or_to_their_first_token()
    {
        using var model = new QuestionAnsweringModel(TinyModel.Config(2), seed: 5);
        using var scorer = new QuestionAnsweringScorer(model, TinyModel.Tokenizer(), new() { MaxLength = 20, Stride = 6 });
        foreach (Row row in Rows(30))
        {
            var question = new AnsweredQuestion(new(row.Question.AsMemory(), row.Context.AsMemory()), row.TrainingAnswer, row.AnswerIndex);
            AnsweredWindow[] windows = [.. AnsweredWindow.Of(scorer.Encoder.Encode(question.Asked), question)];
            Assert.Contains(windows, window => window.Start > 0);
            foreach (AnsweredWindow window in windows)
            {
                string read = string.Concat(window.Ids.Select(id => (char)id));
                if (window.Start == 0) Assert.DoesNotContain(row.TrainingAnswer, read);
                else Assert.Equal(row.TrainingAnswer, read[window.Start..(window.End + 1)]);
            }
        }
    }

    [Fact]
    public void Several_answers_and_none_are_taken()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([
            new { Context = "aa 123 bb", Question = "q", TrainingAnswer = new[] { "123", "bb" }, AnswerIndex = new[] { 3, 7 } },
            new { Context = "cc dd", Question = "q", TrainingAnswer = Array.Empty<string>(), AnswerIndex = Array.Empty<int>() },
        ]);
        using QuestionAnsweringTransformer transformer = _ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options(options => options.Epochs = 1)).Fit(data);
        Assert.Equal(2, transformer.Transform(data).GetColumn<string[]>("Answer").Count());
    }

    [Fact]
    public void An_answer_that_stands_elsewhere_is_refused_by_its_row()
    {
        string Refused(Row row) => Assert.Throws<InvalidOperationException>(() =>
            _ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options()).Fit(_ml.Data.LoadFromEnumerable([Rows(1)[0], row]))).Message;

        Assert.Contains("Row 1 says that the answer 'bb' begins at character 0 of its context, where 'aa' stands", Refused(new() { Context = "aa bb", TrainingAnswer = "bb", AnswerIndex = 0 }));
        Assert.Contains("character 4", Refused(new() { Context = "aa bb", TrainingAnswer = "bb", AnswerIndex = 4 }));
        Assert.Contains("character -1", Refused(new() { Context = "aa bb", TrainingAnswer = "bb", AnswerIndex = -1 }));
        Assert.Contains("no rows with a context", Assert.Throws<InvalidOperationException>(() =>
            _ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options()).Fit(_ml.Data.LoadFromEnumerable([new Row()]))).Message);
        IDataView wrong = _ml.Data.LoadFromEnumerable([new { Context = "a", Question = "q", TrainingAnswer = "a", AnswerIndex = 0f }]);
        Assert.Contains("'AnswerIndex'", Assert.Throws<ArgumentOutOfRangeException>(() => _ml.MulticlassClassification.Trainers.QuestionAnswering(options: Options()).Fit(wrong)).Message);
    }
}
