namespace MLComponents.Models;

/// <summary>The rows of a beam search: each prompt has as many as there are beams, and every step scores all of them.</summary>
internal sealed class BeamScores : IDisposable
{
    /// <summary>The sum of scores of a beam that does not exist, or must not go on: far below any other, and finite, as in the reference.</summary>
    public const float None = -1e9f;

    private readonly GenerationCall _call;
    private readonly IDecodingBatch _batch;
    private readonly Guidance? _guidance;
    private readonly StepRecord _record;
    private readonly float[] _logits;
    private readonly float[] _scores;
    private readonly double[] _logSums;

    public BeamScores(GenerationCall call)
    {
        (_call, BeamCount) = (call, call.Settings.BeamCount);
        if (call.Input.ReturnCache) throw new ArgumentException("A beam search leaves no cache to go on from; leave ReturnCache false.", nameof(call));
        int rows = call.Prompts.Count * BeamCount, vocabulary = call.VocabularySize;
        (_logits, _scores, _logSums) = (new float[rows * vocabulary], new float[rows * vocabulary], new double[rows]);
        _record = new StepRecord(call, rows);
        _batch = call.Prefill(canForget: false, _logits.AsSpan(0, call.Prompts.Count * vocabulary));
        try
        {
            _guidance = Guidance.Begin(call);
            int[] prompts = [.. Enumerable.Range(0, rows).Select(row => row / BeamCount)];
            _batch.Select(prompts);
            _guidance?.Select(prompts);
            for (int row = rows - 1; row > 0; row--) Logits(row / BeamCount).CopyTo(_logits.AsSpan(row * vocabulary));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int BeamCount { get; }

    /// <summary>A beam of every prompt that holds nothing but the prompt; only the first of each counts, so that beams do not begin alike.</summary>
    public Hypothesis[] Begin() => [.. Enumerable.Range(0, _call.Prompts.Count * BeamCount)
        .Select(row => new Hypothesis(_call.Prompts.Padded(row / BeamCount).ToArray(), [], [], row % BeamCount == 0 ? 0 : None))];

    /// <summary>The logits of a row as the model gives them.</summary>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * _call.VocabularySize, _call.VocabularySize);

    /// <summary>The log probabilities of a row's next token, processed.</summary>
    /// <param name="row">The row.</param>
    /// <param name="ids">The tokens of the row.</param>
    /// <param name="earlierGroupIds">What beams of earlier groups have just taken.</param>
    public Span<float> Score(int row, ReadOnlySpan<int> ids, ReadOnlySpan<int> earlierGroupIds = default)
    {
        Span<float> scores = _scores.AsSpan(row * _call.VocabularySize, _call.VocabularySize);
        Logits(row).CopyTo(scores);
        _logSums[row] = ScoreMath.LogSum(scores);
        foreach (ref float score in scores) score = (float)(score - _logSums[row]);
        _guidance?.Apply(row, scores);
        _call.Process(_call.ContextOf(row / BeamCount, ids, earlierGroupIds), scores);
        _record.Add(Logits(row), scores);
        return scores;
    }

    /// <summary>The log probability of a token as the model gives it, in a row that was scored.</summary>
    public float LogProbability(int row, int id) => (float)(Logits(row)[id] - _logSums[row]);

    /// <summary>The rows go on with the beams that were chosen: each reads the last token of one.</summary>
    public void Continue(IReadOnlyList<Hypothesis> beams)
    {
        int[] rows = [.. beams.Select(static beam => beam.BeamIndices[^1])];
        _batch.Select(rows);
        _guidance?.Select(rows);
        int[][] last = [.. beams.Select(static beam => new[] { beam.Ids[^1] })];
        GenerationCall.Read(_batch, last, _logits);
        _guidance?.Read(last);
    }

    /// <summary>The results: for each prompt its best texts.</summary>
    public GenerationOutput ToOutput(IEnumerable<IEnumerable<Hypothesis>> best) =>
        _record.ToOutput([.. best.SelectMany((texts, prompt) => texts.Take(_call.Settings.SequenceCount).Select(text => text.ToSequence(_call, prompt)))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _batch.Dispose();
        _guidance?.Dispose();
        _record.Dispose();
    }
}
