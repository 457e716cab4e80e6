namespace MLComponents.Models;

/// <summary>A text that is generated in a <see cref="RunningBatch"/>.</summary>
internal sealed class RunningRow
{
    /// <param name="call">A call for one text of one prompt.</param>
    public RunningRow(GenerationCall call)
    {
        GenerationSettings settings = call.Settings;
        bool isOneText = call.Prompts.Count == 1 && settings.SequenceCount == 1 && call.Prompts.Embeddings is null;
        if (!isOneText || settings.Mode != GenerationMode.Tokens || settings.GuidanceScale != 1)
        {
            throw new ArgumentException(
                "A running batch takes one text of one prompt given as ids, by the likeliest token or by sampling: without beams, guidance, assistants and contrastive search.", nameof(call));
        }

        (Call, Row) = (call, new GenerationRow(call, 0, 0));
    }

    public GenerationCall Call { get; }

    public GenerationRow Row { get; }

    /// <summary>What went wrong with this text, its cancellation included; the others go on.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">The logits.</param>
    /// <param name="scores">Room for as many scores.</param>
    public void Add(ReadOnlySpan<float> logits, Span<float> scores)
    {
        try
        {
            FinishReason? timeUp = Call.IsOutOfTime() ? FinishReason.Time : null;
            logits.CopyTo(scores);
            Call.Process(Row.Context, scores);
            Row.Add(Row.Choose(scores), logits, timeUp);
        }
        catch (Exception fault)
        {
            // Processors and criteria may be the caller's: one text must not end the others.
            Fault = fault;
            Row.Stop(FinishReason.Criterion);
        }
    }
}
