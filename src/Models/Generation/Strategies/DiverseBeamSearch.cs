namespace MLComponents.Models;

/// <summary>
/// Groups of beams, one after the other in each step: what a group takes, later ones avoid. As the reference had it before version 5, with its rules for ending.
/// Vijayakumar et al. 2016, "Diverse Beam Search".
/// </summary>
internal static class DiverseBeamSearch
{
    public static GenerationOutput Run(GenerationCall call)
    {
        using var scores = new BeamScores(call);
        int count = scores.BeamCount, groups = call.Settings.BeamGroupCount, size = count / groups, prompts = call.Prompts.Count;
        Hypothesis[] running = scores.Begin();
        for (int row = 0; row < running.Length; row += size) running[row] = running[row] with { Sum = 0 };
        FinishedBeams[] finished = [.. Enumerable.Range(0, prompts * groups).Select(_ => new FinishedBeams(call, size))];
        while (true)
        {
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;
            var next = (Hypothesis[])running.Clone();
            for (int prompt = 0; prompt < prompts; prompt++)
            {
                List<int> taken = [];
                for (int group = 0; group < groups; group++)
                {
                    int first = (prompt * count) + (group * size);
                    FinishedBeams ended = finished[(prompt * groups) + group];
                    float[] sums = BeamSearch.Sums(call, scores, running, first, size, [.. taken]);
                    Hypothesis[] beams = ended.IsDone
                        ? [.. running.Skip(first).Take(size).Select((text, beam) => text.With(call.Settings.PadId, first + beam, 0, 0))]
                        : ended.Take(BeamSearch.Best(call, scores, running, first, size, sums), prompt);
                    beams.CopyTo(next, first);
                    taken.AddRange(beams.Select(static text => text.Ids[^1]));
                }
            }

            running = next;
            bool isFull = running[0].Ids.Length >= call.Settings.MaxLength;
            if (finished.All(static group => group.IsDone) || isFull || timeUp is not null)
            {
                FinishReason reason = isFull ? FinishReason.Length : FinishReason.Time;
                for (int group = 0; group < finished.Length; group++) finished[group].Close(running.Skip(group * size).Take(size), reason);
                break;
            }

            scores.Continue(running);
        }

        return scores.ToOutput(finished.Chunk(groups).Select(static groups => groups.SelectMany(static group => group.Texts).OrderByDescending(static text => text.Score)));
    }
}
