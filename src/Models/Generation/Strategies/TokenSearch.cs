namespace MLComponents.Models;

/// <summary>One token after the other: the likeliest, or one drawn at random.</summary>
internal static class TokenSearch
{
    public static GenerationOutput Run(GenerationCall call)
    {
        int vocabulary = call.VocabularySize, copies = call.Settings.SequenceCount;
        GenerationRow[] rows = [.. Enumerable.Range(0, call.Prompts.Count * copies).Select(index => new GenerationRow(call, index / copies, index))];
        float[] logits = new float[rows.Length * vocabulary], scores = new float[vocabulary];
        using var record = new StepRecord(call, rows.Length);
        using IDecodingBatch batch = call.Prefill(canForget: false, logits.AsSpan(0, call.Prompts.Count * vocabulary));
        using Guidance? guidance = Guidance.Begin(call);
        if (copies > 1) Repeat(batch, guidance, logits, copies, call);
        call.Input.Streamer?.Put(call.Prompts.Padded(0));

        List<GenerationRow> active = [.. rows];
        for (int step = 1; ; step++)
        {
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;
            for (int place = 0; place < active.Count; place++)
            {
                ReadOnlySpan<float> own = logits.AsSpan(place * vocabulary, vocabulary);
                own.CopyTo(scores);
                guidance?.Apply(place, scores);
                call.Process(active[place].Context, scores);
                record.Add(own, scores);
                if (active[place].FinishReason is not null) continue;
                int id = active[place].Choose(scores);
                active[place].Add(id, own, timeUp);
                call.Input.Streamer?.Put([id]);
            }

            if (active.All(static row => row.FinishReason is not null)) break;
            Leave(active, batch, guidance, record, call);
            int[][] last = [.. active.Select(row => new[] { row.NewIds.Length == step ? row.Ids[^1] : call.Settings.PadId })];
            GenerationCall.Read(batch, last, logits.AsSpan(0, active.Count * vocabulary));
            guidance?.Read(last);
        }

        record.Keep(batch, active);
        call.Input.Streamer?.End();
        return record.ToOutput([.. rows.Select(static row => row.ToSequence())]);
    }

    /// <summary>Rows that have ended leave the batch, unless they have to be computed on.</summary>
    private static void Leave(List<GenerationRow> active, IDecodingBatch batch, Guidance? guidance, StepRecord record, GenerationCall call)
    {
        if (call.KeepsEndedRows || active.All(static row => row.FinishReason is null)) return;
        record.Keep(batch, active);
        int[] stay = [.. Enumerable.Range(0, active.Count).Where(place => active[place].FinishReason is null)];
        batch.Select(stay);
        guidance?.Select(stay);
        active.RemoveAll(static row => row.FinishReason is not null);
    }

    /// <summary>Each prompt becomes several rows.</summary>
    private static void Repeat(IDecodingBatch batch, Guidance? guidance, float[] logits, int copies, GenerationCall call)
    {
        int[] rows = [.. Enumerable.Range(0, call.Prompts.Count * copies).Select(row => row / copies)];
        batch.Select(rows);
        guidance?.Select(rows);
        for (int row = rows.Length - 1; row > 0; row--)
            logits.AsSpan(rows[row] * call.VocabularySize, call.VocabularySize).CopyTo(logits.AsSpan(row * call.VocabularySize));
    }
}
