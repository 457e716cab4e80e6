namespace MLComponents.Models;

/// <summary>A text in the making.</summary>
internal sealed class GenerationRow
{
    private readonly GenerationCall _call;
    private readonly RowTokens _ids;
    private readonly StopStringSearch? _stopSearch;
    private readonly RowRandom _random;
    private readonly List<float> _logProbabilities = [];

    /// <param name="call">The call it belongs to.</param>
    /// <param name="prompt">The index of its prompt.</param>
    /// <param name="index">Its own index in the results.</param>
    public GenerationRow(GenerationCall call, int prompt, int index)
    {
        (_call, PromptIndex, Index) = (call, prompt, index);
        _ids = new RowTokens(call.Prompts.Padded(prompt), call.Settings.MaxLength);
        _random = call.Input.Seeds is { } seeds ? new RowRandom(seeds[index]) : RowRandom.Of(call.Settings.Seed, index);
        if (call.Settings.Config.StopStrings is { Count: > 0 } stops) _stopSearch = new StopStringSearch(call.Input.Tokenizer!, stops, call.Prompts.Ids(prompt));
    }

    public int PromptIndex { get; }

    public int Index { get; }

    /// <summary>Why it ended; null while it goes on.</summary>
    public FinishReason? FinishReason { get; private set; }

    public string? StopString { get; private set; }

    /// <summary>Padding, prompt and new tokens.</summary>
    public ReadOnlySpan<int> Ids => _ids.Span;

    public ReadOnlySpan<int> NewIds => Ids[_call.Prompts.Length..];

    public LogitsContext Context => _call.ContextOf(PromptIndex, Ids);

    /// <summary>A random number for the next token.</summary>
    /// <param name="draw">Which one.</param>
    public double Uniform(int draw = 0) => _random.Next(NewIds.Length, draw);

    /// <summary>Chooses the next token by its processed scores.</summary>
    /// <exception cref="InvalidOperationException">A constraint and something else rule all tokens out together.</exception>
    public int Choose(ReadOnlySpan<float> scores)
    {
        if (_call.Settings.DoSample) return TokenSampler.Draw(scores, Uniform());
        int id = ScoreMath.ArgMax(scores);
        return _call.Input.Constraint is null || !float.IsNegativeInfinity(scores[id]) ? id : throw TokenSampler.NoDistribution();
    }

    /// <summary>Takes a new token, and finds out whether it is the last one.</summary>
    /// <param name="id">The token.</param>
    /// <param name="logits">The logits it was chosen by, as the model gives them.</param>
    /// <param name="otherwise">Why it ends here if nothing else ends it; null if it goes on.</param>
    public void Add(int id, ReadOnlySpan<float> logits, FinishReason? otherwise = null)
    {
        _logProbabilities.Add((float)(logits[id] - ScoreMath.LogSum(logits)));
        _ids.Add(id);
        StopString = _stopSearch?.Add(id);
        FinishReason = StopString is not null ? Models.FinishReason.StopString : _call.EndOf(PromptIndex, Ids) ?? otherwise;
        _call.Observer?.Invoke(id, _logProbabilities[^1], FinishReason);
    }

    /// <summary>Ends it where it is.</summary>
    public void Stop(FinishReason reason) => FinishReason ??= reason;

    public GeneratedSequence ToSequence() => new()
    {
        PromptIndex = _call.FirstPromptIndex + PromptIndex,
        PromptIds = _call.Prompts.Ids(PromptIndex),
        NewIds = NewIds.ToArray(),
        FinishReason = FinishReason ?? Models.FinishReason.Length,
        StopString = StopString,
        LogProbabilities = _logProbabilities,
    };
}
