namespace MLComponents.Models;

/// <summary>Lets a smaller model with the same tokenizer propose tokens. Leviathan et al. 2022, "Fast Inference from Transformers via Speculative Decoding".</summary>
internal sealed class DraftModel : DraftSource
{
    private readonly GenerationCall _call;
    private readonly RowRandom _random;

    public DraftModel(GenerationCall call, CausalLanguageModel model)
        : base(call, Checked(call, model)) => (_call, _random) = (call, RowRandom.Of(call.Settings.Seed, int.MaxValue - 1));

    /// <inheritdoc/>
    public override Candidates Propose(ReadOnlySpan<int> ids, int most)
    {
        int[] all = ids.ToArray();
        bool draws = _call.Settings.DoSample;
        List<(int Id, float[] Scores)> written = Write(ids[_call.Prompts.Padding(0)..], most, _call.Settings.EosIds, (own, scores) =>
        {
            _call.Process(_call.ContextOf(0, [.. all, .. own]), scores);
            return draws ? TokenSampler.Draw(scores, _random.Next(all.Length + own.Count)) : ScoreMath.ArgMax(scores);
        });
        return new Candidates([.. written.Select(static token => token.Id)], draws ? [.. written.Select(static token => token.Scores)] : null);
    }

    private static CausalLanguageModel Checked(GenerationCall call, CausalLanguageModel model) => model.Config.VocabularySize == call.VocabularySize
        ? model
        : throw new ArgumentException(
            $"The assistant model has {model.Config.VocabularySize} token ids, the model {call.VocabularySize}; expected a model with the same tokenizer. Where it has another one, set AssistantTokenizer in the input.", nameof(model));
}
