namespace MLComponents.Models;

/// <summary>
/// Tokens are proposed, and the model checks several of them in one pass. Without sampling the text is the one that the model writes alone; with sampling it has the
/// same distribution.
/// </summary>
internal static class AssistedSearch
{
    // Which random number of a step is for what; the first one draws tokens, here as everywhere.
    private const int AcceptanceDraw = 1;

    public static GenerationOutput Run(GenerationCall call)
    {
        if (call.Settings.GuidanceScale != 1) throw new ArgumentException("GuidanceScale does not go with an assistant model or prompt lookup.", nameof(call));
        int vocabulary = call.VocabularySize;
        using ICandidateSource source = call.Input switch
        {
            { AssistantModel: { } assistant, AssistantTokenizer: { } other } => new TranslatedDraft(call, assistant, call.Input.Tokenizer!, other),
            { AssistantModel: { } assistant } => new DraftModel(call, assistant),
            _ => new PromptLookup(call, call.Settings.Config.PromptLookupNumTokens!.Value),
        };
        var row = new GenerationRow(call, 0, 0);
        using var record = new StepRecord(call, 1);
        var logits = new float[vocabulary];
        using IDecodingBatch batch = call.Prefill(canForget: true, logits);
        call.Input.Streamer?.Put(call.Prompts.Padded(0));

        // The prompt's last token is read with the first proposed ones, as the last token is later.
        batch.Forget(1);
        while (row.FinishReason is null)
        {
            FinishReason? timeUp = call.IsOutOfTime() ? FinishReason.Time : null;
            Candidates candidates = source.Propose(row.Ids, call.Settings.MaxLength - row.Ids.Length - 1);
            int proposed = candidates.Ids.Length;
            logits = new float[(proposed + 1) * vocabulary];
            batch.Read([row.Ids[^1], .. candidates.Ids], [proposed + 1], proposed + 1, logits);
            int before = row.NewIds.Length;
            int right = Accept(call, row, candidates, logits, record, timeUp);
            source.Learn(proposed, right);

            // All but the last new token were right, so they stay read.
            batch.Forget(proposed + 1 - (row.NewIds.Length - before));
            call.Input.Streamer?.Put(row.NewIds[before..]);
        }

        record.Keep(batch, [row]);
        call.Input.Streamer?.End();
        return record.ToOutput([row.ToSequence()]);
    }

    /// <summary>Adds the tokens that are right, and one more that the model chooses.</summary>
    /// <returns>How many were right.</returns>
    private static int Accept(GenerationCall call, GenerationRow row, Candidates candidates, float[] logits, StepRecord record, FinishReason? timeUp)
    {
        int vocabulary = call.VocabularySize;
        var scores = new float[vocabulary];
        for (int index = 0; ; index++)
        {
            ReadOnlySpan<float> own = logits.AsSpan(index * vocabulary, vocabulary);
            own.CopyTo(scores);
            call.Process(row.Context, scores);
            record.Add(own, scores);
            bool isProposed = index < candidates.Ids.Length;
            int id = isProposed && candidates.Scores is { } drafted ? Speculate(row, scores, drafted[index], candidates.Ids[index]) : row.Choose(scores);
            row.Add(id, own, timeUp);
            if (!isProposed || id != candidates.Ids[index]) return index;
            if (row.FinishReason is not null) return index + 1;
        }
    }

    /// <summary>Takes a token that was drawn by other scores, or one in its place, so that the result is distributed as the model's own scores say.</summary>
    private static int Speculate(GenerationRow row, float[] scores, float[] drafted, int id)
    {
        float[] own = new float[scores.Length], other = new float[scores.Length];
        ScoreMath.Softmax(scores, own);
        ScoreMath.Softmax(drafted, other);
        if (row.Uniform(AcceptanceDraw) <= own[id] / other[id]) return id;
        for (int index = 0; index < own.Length; index++) own[index] = MathF.Log(Math.Max(0, own[index] - other[index]));
        return TokenSampler.Draw(own, row.Uniform());
    }
}
