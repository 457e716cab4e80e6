namespace MLComponents.Transforms;

/// <summary>
/// Finds answers from the logits of starts and ends, as the reference's question answering example does (<c>postprocess_qa_predictions</c>): of every window the
/// pairs of its best starts and ends, ranked over all windows by the sum of their logits; scores are the softmax over those that remain.
/// </summary>
internal static class AnswerSearch
{
    /// <summary>How many starts and ends of a window are paired, and how many pairs are compared, at least.</summary>
    private const int Candidates = 20;

    /// <summary>Finds the best answers.</summary>
    /// <param name="row">The windows.</param>
    /// <param name="logits">Per window the logits of start and end of each of its tokens, in turn.</param>
    /// <param name="topK">How many answers to give.</param>
    /// <param name="maxAnswerLength">Most tokens of an answer.</param>
    /// <returns>The answers, the best first; <see cref="Answer.None"/> in place of those that a short context does not have.</returns>
    public static Answer[] Best(QuestionRow row, ReadOnlySpan<float[]> logits, int topK, int maxAnswerLength)
    {
        int kept = Math.Max(Candidates, topK);
        var sums = new Dictionary<(int Start, int End), float>(); // in characters: two windows may hold the same answer
        for (int index = 0; index < row.Windows.Length; index++)
        {
            TokenWindow window = row.Windows[index];
            float[] numbers = logits[index];
            int[] starts = Largest(token => numbers[2 * (window.Start + token)], window.Count, kept);
            int[] ends = Largest(token => numbers[(2 * (window.Start + token)) + 1], window.Count, kept);
            foreach (int start in starts)
            {
                foreach (int end in ends)
                {
                    if (end < start || end - start + 1 > maxAnswerLength) continue;
                    (int Start, int End) place = Trimmed(row.Context.Span, row.Places[window.First + start].Start, row.Places[window.First + end].End);
                    if (place.End <= place.Start) continue; // nothing but white space
                    float sum = numbers[2 * (window.Start + start)] + numbers[(2 * (window.Start + end)) + 1];
                    if (!sums.TryGetValue(place, out float other) || sum > other) sums[place] = sum;
                }
            }
        }

        var ranked = sums.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Take(kept).ToList();
        double total = ranked.Sum(pair => Math.Exp((double)pair.Value - ranked[0].Value));
        return [.. Enumerable.Range(0, topK).Select(rank => rank < ranked.Count
            ? new Answer(row.Context[ranked[rank].Key.Start..ranked[rank].Key.End], ranked[rank].Key.Start, (float)(Math.Exp((double)ranked[rank].Value - ranked[0].Value) / total))
            : Answer.None)];
    }

    /// <summary>A part of a text without the white space at its ends, which many tokens begin with.</summary>
    private static (int Start, int End) Trimmed(ReadOnlySpan<char> text, int start, int end)
    {
        while (start < end && char.IsWhiteSpace(text[start])) start++;
        while (start < end && char.IsWhiteSpace(text[end - 1])) end--;
        return (start, end);
    }

    private static int[] Largest(Func<int, float> value, int count, int most) =>
        [.. Enumerable.Range(0, count).OrderByDescending(value).Take(most)];
}
