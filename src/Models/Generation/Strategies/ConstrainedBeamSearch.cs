namespace MLComponents.Models;

/// <summary>
/// A beam search whose texts must hold certain phrases: beside the best candidates each beam is continued by the tokens that bring it further with a phrase, and beams
/// are taken in turn from all stages. As the reference had it before version 5, but that texts which hold all phrases stay. Post and Vilar 2018, "Fast Lexically
/// Constrained Decoding with Dynamic Beam Allocation".
/// </summary>
internal static class ConstrainedBeamSearch
{
    // A stage counts for more than any score.
    private const float BankWeight = 100;

    public static GenerationOutput Run(GenerationCall call)
    {
        var phrases = new ForcedPhrases(call.Settings.Config.ForceWordsIds!, call.VocabularySize);
        using var scores = new BeamScores(call);
        int count = scores.BeamCount, prompts = call.Prompts.Count;
        Hypothesis[] running = scores.Begin();
        FinishedBeams[] finished = [.. Enumerable.Range(0, prompts).Select(_ => new FinishedBeams(call, count))];
        while (true)
        {
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;
            var next = (Hypothesis[])running.Clone();
            for (int prompt = 0; prompt < prompts; prompt++)
            {
                int first = prompt * count;
                float[] sums = BeamSearch.Sums(call, scores, running, first, count);
                if (finished[prompt].IsDone)
                {
                    for (int row = first; row < first + count; row++) next[row] = running[row].With(call.Settings.PadId, row, 0, 0);
                    continue;
                }

                Hypothesis[] best = finished[prompt].Take(
                    BeamSearch.Best(call, scores, running, first, count, sums), prompt, text => phrases.Of(text.Ids.AsSpan(0, text.Ids.Length - 1)).IsComplete);
                Allocate(call, scores, running, first, sums, phrases, best).CopyTo(next, first);
            }

            running = next;
            bool isFull = running[0].Ids.Length >= call.Settings.MaxLength;
            if (finished.All(static texts => texts.IsDone) || isFull || timeUp is not null)
            {
                FinishReason reason = isFull ? FinishReason.Length : FinishReason.Time;
                for (int prompt = 0; prompt < prompts; prompt++) Close(call, finished[prompt], [.. running.Skip(prompt * count).Take(count)], phrases, reason);
                break;
            }

            scores.Continue(running);
        }

        return scores.ToOutput(finished.Select(static texts => texts.Texts.OrderByDescending(static text => text.Score)));
    }

    /// <summary>Chooses the beams that go on, from all stages in turn.</summary>
    private static Hypothesis[] Allocate(GenerationCall call, BeamScores scores, Hypothesis[] running, int first, float[] sums, ForcedPhrases phrases, Hypothesis[] best)
    {
        int[] ends = call.Settings.EosIds;
        List<(Hypothesis Text, int Bank)> all = [.. best.Select(text => (text, phrases.Of(text.Ids).Bank))];
        HashSet<ValueList<int>> known = [.. best.Select(static text => new ValueList<int>(text.Ids))];
        int vocabulary = sums.Length / best.Length;
        for (int beam = 0; beam < best.Length; beam++)
        {
            int row = first + beam;
            ForcedPhrases.Progress progress = phrases.Of(running[row].Ids);

            // A text that holds everything goes on with its likeliest token, which may be less likely than all that the others go on with.
            ReadOnlySpan<float> own = sums.AsSpan(beam * vocabulary, vocabulary);
            foreach (int id in progress.IsComplete ? Likeliest(own, ends) : progress.Next())
            {
                Hypothesis text = running[row].With(id, row, scores.LogProbability(row, id), sums[(beam * vocabulary) + id]);
                if (known.Add(new ValueList<int>(text.Ids))) all.Add((text, progress.With(id).Bank));
            }
        }

        if (all.Count == best.Length) return best;
        return [.. all.OrderByDescending(static pair => (pair.Bank * BankWeight) + pair.Text.Sum).GroupBy(static pair => pair.Bank)
            .SelectMany(static stage => stage.Select(static (pair, rank) => (pair.Text, Rank: rank))).OrderBy(static pair => pair.Rank).Take(best.Length).Select(static pair => pair.Text)];
    }

    /// <summary>The likeliest token that ends nothing.</summary>
    private static int[] Likeliest(ReadOnlySpan<float> sums, int[] ends)
    {
        int best = -1;
        for (int id = 0; id < sums.Length; id++)
            if (!ends.Contains(id) && (best < 0 || sums[id] > sums[best])) best = id;
        return best < 0 ? [] : [best];
    }

    /// <summary>Of the beams that are still running those that hold all phrases count; the others only if there are too few.</summary>
    private static void Close(GenerationCall call, FinishedBeams finished, Hypothesis[] running, ForcedPhrases phrases, FinishReason reason)
    {
        ILookup<bool, Hypothesis> byCompleteness = running.ToLookup(text => phrases.Of(text.Ids).IsComplete);
        finished.Close(byCompleteness[true], reason);
        if (byCompleteness[true].Count() < call.Settings.SequenceCount) finished.Close(byCompleteness[false], reason);
    }
}
