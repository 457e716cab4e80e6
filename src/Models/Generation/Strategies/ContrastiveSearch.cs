namespace MLComponents.Models;

/// <summary>
/// Of the likeliest tokens the one with the best <c>(1 − α) · probability − α · similarity</c>, where similarity is the largest cosine between its hidden state and
/// an earlier one. Su et al. 2022, "A Contrastive Framework for Neural Text Generation".
/// </summary>
internal static class ContrastiveSearch
{
    public static GenerationOutput Run(GenerationCall call)
    {
        int vocabulary = call.VocabularySize, size = call.Model.Config.HiddenSize, width = Math.Min(call.Settings.TopK, vocabulary);
        double alpha = call.Settings.Config.PenaltyAlpha!.Value;
        if (alpha > 1) throw new ArgumentOutOfRangeException(nameof(call), alpha, "PenaltyAlpha must be from 0 to 1.");
        if (call.Prompts.Length == 0 || call.Settings.GuidanceScale != 1 || call.Input.Cache is not null)
            throw new ArgumentException("Contrastive search goes with prompts given as ids, without guidance and without a cache from before.", nameof(call));

        GenerationRow[] rows = [.. Enumerable.Range(0, call.Prompts.Count).Select(prompt => new GenerationRow(call, prompt, prompt))];
        using var record = new StepRecord(call, rows.Length);
        var logits = new float[rows.Length * vocabulary];
        List<float[]>[] seen = [.. rows.Select(static _ => new List<float[]>())];
        using IDecodingBatch batch = call.NewBatch(0, call.Input.ReturnCache);
        for (int row = 0; row < rows.Length; row++) Prefill(call, row, batch, logits.AsSpan(row * vocabulary, vocabulary), seen[row]);
        call.Input.Streamer?.Put(call.Prompts.Padded(0));

        List<int> active = [.. Enumerable.Range(0, rows.Length)];
        var scores = new float[vocabulary];
        while (true)
        {
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;

            // Every row becomes as many as there are candidates, which are read all at once.
            var candidates = new int[active.Count * width];
            var probabilities = new float[active.Count * width];
            for (int place = 0; place < active.Count; place++)
            {
                ReadOnlySpan<float> own = logits.AsSpan(place * vocabulary, vocabulary);
                own.CopyTo(scores);
                call.Process(rows[active[place]].Context, scores);
                record.Add(own, scores);
                ScoreMath.Softmax(scores, scores);
                ScoreMath.LargestIndices(scores, candidates.AsSpan(place * width, width));
                for (int rank = 0; rank < width; rank++) probabilities[(place * width) + rank] = scores[candidates[(place * width) + rank]];
            }

            batch.Select([.. Enumerable.Range(0, candidates.Length).Select(row => row / width)]);
            float[] next = new float[candidates.Length * vocabulary], hidden = new float[candidates.Length * size];
            batch.Read(candidates, [.. Enumerable.Repeat(1, candidates.Length)], 1, next, hidden);
            var chosen = new int[active.Count];
            for (int place = 0; place < active.Count; place++)
            {
                double best = double.NegativeInfinity;
                for (int row = place * width; row < (place + 1) * width; row++)
                {
                    Normalize(hidden.AsSpan(row * size, size));
                    double score = ((1 - alpha) * probabilities[row]) - (alpha * Similarity(hidden.AsSpan(row * size, size), seen[active[place]]));
                    if (score > best) (best, chosen[place]) = (score, row);
                }

                GenerationRow text = rows[active[place]];
                if (text.FinishReason is null)
                {
                    text.Add(candidates[chosen[place]], logits.AsSpan(place * vocabulary, vocabulary), timeUp);
                    call.Input.Streamer?.Put(text.Ids[^1..]);
                }

                seen[active[place]].Add(hidden.AsSpan(chosen[place] * size, size).ToArray());
            }

            batch.Select(chosen);
            for (int place = 0; place < active.Count; place++) next.AsSpan(chosen[place] * vocabulary, vocabulary).CopyTo(logits.AsSpan(place * vocabulary));
            if (rows.All(static row => row.FinishReason is not null)) break;
            if (call.KeepsEndedRows) continue;
            int[] stay = [.. Enumerable.Range(0, active.Count).Where(place => rows[active[place]].FinishReason is null)];
            if (stay.Length == active.Count) continue;
            record.Keep(batch, [.. active.Select(row => rows[row])]);
            batch.Select(stay);
            for (int place = 0; place < stay.Length; place++) logits.AsSpan(stay[place] * vocabulary, vocabulary).CopyTo(logits.AsSpan(place * vocabulary));
            active = [.. stay.Select(place => active[place])];
        }

        record.Keep(batch, [.. active.Select(row => rows[row])]);
        call.Input.Streamer?.End();
        return record.ToOutput([.. rows.Select(static row => row.ToSequence())]);
    }

    /// <summary>Reads a prompt and keeps the hidden states of its tokens.</summary>
    private static void Prefill(GenerationCall call, int prompt, IDecodingBatch batch, Span<float> logits, List<float[]> seen)
    {
        int[] ids = call.Prompts.Ids(prompt);
        int size = call.Model.Config.HiddenSize, vocabulary = call.VocabularySize;
        float[] all = new float[ids.Length * vocabulary], hidden = new float[ids.Length * size];
        using IDecodingBatch row = call.NewBatch(1, call.Input.ReturnCache);
        row.Read(ids, [ids.Length], ids.Length, all, hidden);
        all.AsSpan((ids.Length - 1) * vocabulary).CopyTo(logits);
        foreach (float[] state in hidden.Chunk(size))
        {
            Normalize(state);
            seen.Add(state);
        }

        batch.Join(row);
    }

    private static void Normalize(Span<float> state)
    {
        double square = 0;
        foreach (float value in state) square += (double)value * value;
        float scale = (float)(1 / Math.Sqrt(square));
        foreach (ref float value in state) value *= scale;
    }

    private static double Similarity(ReadOnlySpan<float> state, List<float[]> seen)
    {
        double largest = double.NegativeInfinity;
        foreach (float[] other in seen)
        {
            double product = 0;
            for (int index = 0; index < other.Length; index++) product += (double)state[index] * other[index];
            largest = Math.Max(largest, product);
        }

        return largest;
    }
}
