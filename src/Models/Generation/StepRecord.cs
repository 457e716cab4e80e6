namespace MLComponents.Models;

/// <summary>What a call gives beside its texts: scores and logits of every step, and what the model has read.</summary>
/// <param name="call">The call.</param>
/// <param name="rows">The number of rows of a step.</param>
internal sealed class StepRecord(GenerationCall call, int rows) : IDisposable
{
    private readonly List<float[]> _scores = [];
    private readonly List<float[]> _logits = [];
    private readonly SortedDictionary<int, IDecodingBatch> _kept = [];
    private int _filled;

    /// <summary>Takes what belongs to the next row of a step.</summary>
    public void Add(ReadOnlySpan<float> logits, ReadOnlySpan<float> scores)
    {
        int row = _filled++ % rows;
        if (call.Settings.OutputScores) Write(_scores, row, scores);
        if (call.Settings.OutputLogits) Write(_logits, row, logits);
    }

    /// <summary>Takes the rows of a batch that have ended, if what the model has read is wanted.</summary>
    public void Keep(IDecodingBatch batch, IReadOnlyList<GenerationRow> places)
    {
        if (!call.Input.ReturnCache) return;
        for (int place = 0; place < places.Count; place++)
        {
            if (places[place].FinishReason is null || _kept.ContainsKey(places[place].Index)) continue;
            IDecodingBatch row = batch.Clone();
            _kept.Add(places[place].Index, row);
            row.Select([place]);
        }
    }

    public GenerationOutput ToOutput(IReadOnlyList<GeneratedSequence> sequences) => new()
    {
        Sequences = sequences,
        Scores = _scores,
        Logits = _logits,
        VocabularySize = call.VocabularySize,
        Cache = call.Input.ReturnCache ? new PromptCache(call.Model, JoinKept()) : null,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDecodingBatch batch in _kept.Values) batch.Dispose();
    }

    private IDecodingBatch JoinKept()
    {
        IDecodingBatch all = call.NewBatch(0, canForget: true);
        foreach (IDecodingBatch row in _kept.Values) all.Join(row);
        return all;
    }

    private void Write(List<float[]> steps, int row, ReadOnlySpan<float> values)
    {
        if (row == 0) steps.Add(new float[rows * call.VocabularySize]);
        values.CopyTo(steps[^1].AsSpan(row * call.VocabularySize));
    }
}
