using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class AnswerSearchTests
{
    private static QuestionRow Encode(string question, string context, int maxLength = 24, int stride = 5, bool wrapped = false) =>
        new QuestionEncoder(TinyModel.Tokenizer(wrapped), maxLength, 8, stride).Encode(new(question.AsMemory(), context.AsMemory()));

    /// <summary>Logits that favour one start and one end, wherever they are seen.</summary>
    private static float[][] Logits(QuestionRow row, int start, int end) => [.. row.Windows.Select(window =>
    {
        var numbers = new float[2 * window.Ids.Length];
        if (start >= window.First && start < window.First + window.Count) numbers[2 * (window.Start + start - window.First)] = 9;
        if (end >= window.First && end < window.First + window.Count) numbers[(2 * (window.Start + end - window.First)) + 1] = 9;
        numbers[0] = numbers[1] = 100; // the question is no answer
        return numbers;
    })];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_part_of_a_long_context_is_found_where_it_stands(bool wrapped)
    {
        const string context = "The old bridge was built in 1874, of stone; it fell down twice and stands again.";
        QuestionRow row = Encode("When?", context, wrapped: wrapped);
        Assert.True(row.Windows.Length > 3);
        for (int start = 0; start < context.Length; start++)
        {
            for (int length = 1; length <= 5 && start + length <= context.Length; length++)
            {
                string expected = context.Substring(start, length);
                if (expected.Trim().Length == 0) continue;
                Answer best = AnswerSearch.Best(row, Logits(row, start, start + length - 1), 1, 30)[0];
                Assert.Equal(expected.Trim(), best.Text.ToString());
                Assert.Equal(context.AsSpan(best.Start, best.Text.Length), best.Text.Span);
                Assert.InRange(best.Score, 0.9f, 1);
            }
        }
    }

    [Fact]
    public void Answers_are_ranked_over_all_windows_and_their_scores_fall()
    {
        QuestionRow row = Encode("q", "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz");
        Answer[] best = AnswerSearch.Best(row, Logits(row, 40, 42), 5, 30);
        Assert.Equal(5, best.Length);
        Assert.Equal(best.OrderByDescending(answer => answer.Score).Select(answer => answer.Score), best.Select(answer => answer.Score));
        Assert.Equal(best.Length, best.Select(answer => (answer.Start, answer.Text.Length)).Distinct().Count());
        Assert.InRange(best.Sum(answer => answer.Score), 0.9f, 1);
    }

    [Fact]
    public void No_answer_is_longer_than_allowed_or_ends_before_it_begins()
    {
        QuestionRow row = Encode("q", "abcdefghij");
        Answer[] best = AnswerSearch.Best(row, Logits(row, 8, 2), 20, 3);
        Assert.All(best.Where(answer => answer.Start >= 0), answer => Assert.InRange(answer.Text.Length, 1, 3));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("   ", 1)]
    [InlineData("x", 1)]
    public void A_short_context_has_fewer_answers(string context, int windows)
    {
        QuestionRow row = Encode("q", context);
        Assert.Equal(windows, row.Windows.Length);
        Answer[] best = AnswerSearch.Best(row, Logits(row, 0, 0), 3, 30);
        Assert.Equal(3, best.Length);
        Assert.Equal(context == "x" ? ["x", "", ""] : ["", "", ""], best.Select(answer => answer.Text.ToString()));
        Assert.Equal([-1, -1], best.Skip(1).Select(answer => answer.Start));
    }

    [Fact]
    public void A_long_question_is_cut_and_said_to_be()
    {
        Assert.True(Encode("123456789", "context").Truncated);
        QuestionRow row = Encode("12345678", "context");
        Assert.False(row.Truncated);
        Assert.Equal(row.Windows[0].Ids, Encode("123456789", "context").Windows[0].Ids);
    }
}
