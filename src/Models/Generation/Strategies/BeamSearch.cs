namespace MLComponents.Models;

/// <summary>
/// Follows the best texts of each prompt, or texts drawn at random, side by side. The reference's search: of each step's candidates the best beams go on; those that
/// end among the best are kept, ranked by their score over their length to a power.
/// </summary>
internal static class BeamSearch
{
    public static GenerationOutput Run(GenerationCall call)
    {
        using var scores = new BeamScores(call);
        int count = scores.BeamCount;
        Hypothesis[] running = scores.Begin();
        List<Hypothesis>[] finished = [.. Enumerable.Range(0, call.Prompts.Count).Select(static _ => new List<Hypothesis>())];
        var done = new bool[call.Prompts.Count];
        while (true)
        {
            bool canGoOn = false;
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;
            var next = new List<Hypothesis>(running.Length);
            for (int prompt = 0; prompt < call.Prompts.Count; prompt++)
            {
                Hypothesis[] candidates = [.. Candidates(call, scores, running, prompt).Select(text => End(call, prompt, text, timeUp))];
                canGoOn |= candidates.Any(static text => text.FinishReason is null);
                Hypothesis[] best = [.. candidates.Select(static text => text.FinishReason is null ? text : text with { Sum = text.Sum + BeamScores.None })
                    .OrderByDescending(static text => text.Sum).Take(count)];
                next.AddRange(best);
                if (done[prompt]) continue;

                // Only what ends among the best counts; the other candidates are there so that enough of them can go on.
                finished[prompt] = [.. finished[prompt].Concat(candidates.Take(count).Where(static text => text.FinishReason is not null).Select(text => Rank(call, text)))
                    .OrderByDescending(static text => text.Score).Take(count)];
                done[prompt] = finished[prompt].Count == count && (call.Settings.EarlyStopping == EarlyStopping.WhenFull || !CanImprove(call, best[0], finished[prompt]));
            }

            running = [.. next];
            if (!canGoOn || done.All(static prompt => prompt)) break;
            scores.Continue(running);
        }

        return scores.ToOutput(finished);
    }

    /// <summary>The texts that a prompt's beams can become: the best ones, the best first, or some drawn at random, in the order of drawing.</summary>
    private static IEnumerable<Hypothesis> Candidates(GenerationCall call, BeamScores scores, Hypothesis[] running, int prompt)
    {
        int count = scores.BeamCount, first = prompt * count;
        float[] sums = Sums(call, scores, running, first, count), keys = sums;
        if (call.Settings.DoSample)
        {
            RowRandom random = call.Input.Seeds is { } seeds ? new RowRandom(seeds[prompt * call.Settings.SequenceCount]) : RowRandom.Of(call.Settings.Seed, prompt);
            int step = running[first].BeamIndices.Length;
            keys = [.. sums];
            TokenSampler.MakeKeys(keys, index => random.Next(step, index));
        }

        return Best(call, scores, running, first, count, sums, keys);
    }

    /// <summary>The sums of scores of some beams with each token, <c>[beams, vocabulary]</c>.</summary>
    public static float[] Sums(GenerationCall call, BeamScores scores, Hypothesis[] running, int first, int count, ReadOnlySpan<int> earlierGroupIds = default)
    {
        int vocabulary = call.VocabularySize;
        var sums = new float[count * vocabulary];
        for (int beam = 0; beam < count; beam++)
        {
            ReadOnlySpan<float> own = scores.Score(first + beam, running[first + beam].Ids, earlierGroupIds);
            for (int id = 0; id < vocabulary; id++) sums[(beam * vocabulary) + id] = own[id] + running[first + beam].Sum;
        }

        return sums;
    }

    /// <summary>The texts with the largest sums, or keys: so many that enough of them go on where others end.</summary>
    public static Hypothesis[] Best(GenerationCall call, BeamScores scores, Hypothesis[] running, int first, int count, float[] sums, float[]? keys = null)
    {
        var chosen = new int[Math.Min(Math.Max(2, 1 + call.Settings.EosIds.Length) * count, sums.Length)];
        ScoreMath.LargestIndices(keys ?? sums, chosen);
        return [.. chosen.Select(index =>
        {
            int row = first + (index / call.VocabularySize), id = index % call.VocabularySize;
            return running[row].With(id, row, scores.LogProbability(row, id), sums[index]);
        })];
    }

    /// <summary>A candidate with the reason for which it ends, if it does.</summary>
    public static Hypothesis End(GenerationCall call, int prompt, Hypothesis text, FinishReason? otherwise)
    {
        if (call.Settings.Config.StopStrings is { Count: > 0 } stops)
        {
            var search = new StopStringSearch(call.Input.Tokenizer!, stops, text.Ids.AsSpan(0, text.Ids.Length - 1));
            if (search.Add(text.Ids[^1]) is { } stop) return text with { FinishReason = FinishReason.StopString, StopString = stop };
        }

        return text with { FinishReason = call.EndOf(prompt, text.Ids) ?? otherwise };
    }

    private static Hypothesis Rank(GenerationCall call, Hypothesis text) =>
        text with { Score = text.Sum / (float)Math.Pow(text.BeamIndices.Length, call.Settings.LengthPenalty) };

    /// <summary>Whether the best running beam may still become better than the worst finished one.</summary>
    private static bool CanImprove(GenerationCall call, Hypothesis best, List<Hypothesis> finished)
    {
        double penalty = call.Settings.LengthPenalty;
        bool toTheEnd = call.Settings.EarlyStopping == EarlyStopping.Never && penalty > 0;
        int length = toTheEnd ? call.Settings.MaxLength - call.Prompts.Length : best.BeamIndices.Length;
        return best.Sum / (float)Math.Pow(length, penalty) > finished[^1].Score;
    }
}
