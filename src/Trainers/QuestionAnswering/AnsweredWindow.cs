using MLComponents.Transforms;

namespace MLComponents.Trainers;

/// <summary>A window of a question and its context as the model reads it, and where its answer is.</summary>
/// <param name="Row">All windows of the row.</param>
/// <param name="Window">Which of them it is.</param>
/// <param name="Start">The position in the window where the answer begins; 0 where the window does not hold all of it, as in the reference's example.</param>
/// <param name="End">The position of the answer's last token; 0 likewise.</param>
/// <param name="Answer">The answer.</param>
internal sealed record AnsweredWindow(QuestionRow Row, int Window, int Start, int End, string Answer)
{
    /// <summary>The token ids.</summary>
    public int[] Ids => Row.Windows[Window].Ids;

    /// <summary>The windows of a row; none where the context has no token.</summary>
    public static IEnumerable<AnsweredWindow> Of(QuestionRow row, AnsweredQuestion question)
    {
        // Tokens that hold a character of the answer.
        int first = Array.FindIndex(row.Places, place => place.End > question.Start);
        int last = Array.FindLastIndex(row.Places, place => place.Start < question.Start + question.Answer.Length);
        bool answered = question.Answer.Length > 0 && first >= 0 && last >= first;
        for (int window = 0; window < row.Windows.Length; window++)
        {
            TokenWindow part = row.Windows[window];
            bool holds = answered && first >= part.First && last < part.First + part.Count;
            yield return new AnsweredWindow(row, window, holds ? part.Start + first - part.First : 0, holds ? part.Start + last - part.First : 0, question.Answer);
        }
    }
}
