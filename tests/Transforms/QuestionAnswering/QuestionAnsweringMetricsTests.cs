using Microsoft.ML;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class QuestionAnsweringMetricsTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData("The Cat's, hat!", "cats hat")]
    [InlineData("  a  An theory of THE ", "theory of")]
    [InlineData("U.S.", "us")]
    [InlineData("x-a-y", "xay")]
    [InlineData("«é»", "«é»")]
    public void Answers_are_normalised_as_officially(string answer, string words) => Assert.Equal(words, string.Join(' ', AnswerComparison.Words(answer)));

    [Theory]
    [InlineData("in the year 1874", "1874", 0, 0.5)]
    [InlineData("1874.", "the 1874", 1, 1)]
    [InlineData("a b b c", "b b d", 0, 2.0 / 3)] // "a" is an article: two of three words each
    [InlineData("", "", 1, 1)]
    [InlineData("", "x", 0, 0)]
    [InlineData("the", "", 1, 1)]
    public void One_answer_is_compared_as_officially(string answer, string actual, double exact, double f1)
    {
        QuestionAnsweringMetrics metrics = _ml.MulticlassClassification.EvaluateQuestionAnswering(_ml.Data.LoadFromEnumerable([new { TrainingAnswer = actual, Answer = answer }]));
        Assert.Equal(exact, metrics.ExactMatch);
        Assert.Equal(f1, metrics.F1, 1e-12);
    }

    [Fact]
    public void The_best_of_several_true_answers_and_the_first_of_several_answers_count()
    {
        IDataView data = _ml.Data.LoadFromEnumerable([
            new { TrainingAnswer = new[] { "red", "blue sky" }, Answer = new[] { "sky", "red" } },
            new { TrainingAnswer = new[] { "one", "two" }, Answer = new[] { "Two", "" } },
        ]);
        QuestionAnsweringMetrics metrics = _ml.MulticlassClassification.EvaluateQuestionAnswering(data);
        Assert.Equal(new QuestionAnsweringMetrics(0.5, (2.0 / 3 + 1) / 2, 2), metrics);
        Assert.Throws<InvalidOperationException>(() => _ml.MulticlassClassification.EvaluateQuestionAnswering(_ml.Data.SkipRows(data, 2)));
    }
}
