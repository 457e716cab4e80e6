namespace MLComponents.Models;

/// <summary>A smaller model that writes on, until it is no longer sure.</summary>
internal abstract class DraftSource : ICandidateSource
{
    private const int DefaultTokens = 20;
    private const double DefaultThreshold = 0.4;

    private readonly IDecodingBatch _batch;
    private readonly double _threshold;
    private readonly bool _learns;
    private readonly float[] _logits;
    private int _count;

    protected DraftSource(GenerationCall call, CausalLanguageModel model)
    {
        GenerationConfig config = call.Settings.Config, own = model.GenerationConfig;
        _count = config.NumAssistantTokens ?? own.NumAssistantTokens ?? DefaultTokens;
        _threshold = config.AssistantConfidenceThreshold ?? own.AssistantConfidenceThreshold ?? DefaultThreshold;
        _learns = (config.NumAssistantTokensSchedule ?? own.NumAssistantTokensSchedule ?? AssistantSchedule.Constant) != AssistantSchedule.Constant;
        if (_count < 1) throw new ArgumentOutOfRangeException(nameof(call), _count, "NumAssistantTokens must be at least 1.");
        _logits = new float[model.Config.VocabularySize];
        _batch = model.Decoding.NewBatch(1, canForget: true);
    }

    /// <inheritdoc/>
    public abstract Candidates Propose(ReadOnlySpan<int> ids, int most);

    /// <inheritdoc/>
    public void Learn(int proposed, int right)
    {
        if (_learns && proposed > 0) _count = right == proposed ? _count + 2 : Math.Max(1, _count - 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();

    /// <summary>Writes tokens behind a text, as many as it is to and at least one; the last one may be an end, or one that it is not sure of.</summary>
    /// <param name="text">The ids of the text, at least one.</param>
    /// <param name="most">The most tokens that are of use.</param>
    /// <param name="ends">The ids that end a text.</param>
    /// <param name="choose">Chooses a token, given those that were written and the scores of the next, which it may change.</param>
    protected List<(int Id, float[] Scores)> Write(ReadOnlySpan<int> text, int most, IReadOnlyCollection<int> ends, Func<IReadOnlyList<int>, float[], int> choose)
    {
        int count = Math.Min(_count, most);
        var written = new List<(int Id, float[] Scores)>();
        var ids = new List<int>();
        if (count < 1) return written;

        // What it read when it was last asked may have been wrong; the last token is read in any case, for its logits.
        ReadOnlySpan<int> read = _batch.TokensOf(0);
        int shared = Math.Min(text.CommonPrefixLength(read), text.Length - 1);
        _batch.Forget(read.Length - shared);
        int[] next = text[shared..].ToArray();
        while (true)
        {
            GenerationCall.Read(_batch, [next], _logits);
            float[] scores = [.. _logits];
            int id = choose(ids, scores);
            written.Add((id, scores));
            if (written.Count == count || ends.Contains(id) || Math.Exp(scores[id] - ScoreMath.LogSum(scores)) < _threshold) return written;
            ids.Add(id);
            next = [id];
        }
    }
}
