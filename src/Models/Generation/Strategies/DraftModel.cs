namespace MLComponents.Models;

/// <summary>Lets a smaller model propose tokens. Leviathan et al. 2022, "Fast Inference from Transformers via Speculative Decoding".</summary>
internal sealed class DraftModel : ICandidateSource
{
    private const int DefaultTokens = 20;
    private const double DefaultThreshold = 0.4;

    private readonly GenerationCall _call;
    private readonly IDecodingBatch _batch;
    private readonly RowRandom _random;
    private readonly double _threshold;
    private readonly bool _learns;
    private readonly float[] _logits;
    private int _count;

    public DraftModel(GenerationCall call, CausalLanguageModel model)
    {
        if (model.Config.VocabularySize != call.VocabularySize)
        {
            throw new ArgumentException(
                $"The assistant model has {model.Config.VocabularySize} token ids, the model {call.VocabularySize}; expected a model with the same tokenizer.", nameof(model));
        }

        GenerationConfig config = call.Settings.Config, own = model.GenerationConfig;
        _call = call;
        _count = config.NumAssistantTokens ?? own.NumAssistantTokens ?? DefaultTokens;
        _threshold = config.AssistantConfidenceThreshold ?? own.AssistantConfidenceThreshold ?? DefaultThreshold;
        _learns = (config.NumAssistantTokensSchedule ?? own.NumAssistantTokensSchedule ?? AssistantSchedule.Constant) != AssistantSchedule.Constant;
        if (_count < 1) throw new ArgumentOutOfRangeException(nameof(call), _count, "NumAssistantTokens must be at least 1.");
        _random = RowRandom.Of(call.Settings.Seed, int.MaxValue - 1);
        _logits = new float[call.VocabularySize];
        _batch = model.Decoding.NewBatch(1, canForget: true);
    }

    /// <inheritdoc/>
    public Candidates Propose(ReadOnlySpan<int> ids, int most)
    {
        int count = Math.Min(_count, most);
        var proposed = new List<int>();
        var allScores = new List<float[]>();
        if (count < 1) return new Candidates([], null);

        // What it read when it was last asked may have been wrong; the last token is read in any case, for its logits.
        ReadOnlySpan<int> text = ids[_call.Prompts.Padding(0)..], read = _batch.TokensOf(0);
        int shared = Math.Min(text.CommonPrefixLength(read), text.Length - 1);
        _batch.Forget(read.Length - shared);
        int[] next = text[shared..].ToArray();
        int[] all = ids.ToArray();
        while (true)
        {
            GenerationCall.Read(_batch, [next], _logits);
            float[] scores = [.. _logits];
            _call.Process(_call.ContextOf(0, all), scores);
            int id = _call.Settings.DoSample ? TokenSampler.Draw(scores, _random.Next(all.Length)) : ScoreMath.ArgMax(scores);
            proposed.Add(id);
            allScores.Add(scores);
            if (proposed.Count == count || _call.Settings.EosIds.Contains(id) || Math.Exp(scores[id] - ScoreMath.LogSum(scores)) < _threshold) break;
            all = [.. all, id];
            next = [id];
        }

        return new Candidates([.. proposed], _call.Settings.DoSample ? [.. allScores] : null);
    }

    /// <inheritdoc/>
    public void Learn(int proposed, int right)
    {
        if (_learns) _count = right == proposed ? _count + 2 : Math.Max(1, _count - 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();
}
