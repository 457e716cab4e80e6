namespace MLComponents.Transforms;

/// <summary>Scores the prompts of one column.</summary>
/// <param name="transformer">What scores.</param>
/// <param name="beginning">What the prompts begin with; see <see cref="PromptBeginning"/>.</param>
internal sealed class ChoiceBatchScorer(ChoiceScoringTransformer transformer, string beginning) : IBatchScorer<GenerationPrompt, EncodedText, ScoredChoices>
{
    public int BatchSize => ((IModelRun)transformer).BatchSize;

    public int MaxTokensPerBatch => ((IModelRun)transformer).MaxTokensPerBatch;

    public void CheckAlive() => transformer.CheckAlive();

    public EncodedText Encode(GenerationPrompt input) => transformer.Scorer.Encode(input);

    public float[][] Forward(IReadOnlyList<int[]> sequences) => transformer.Forward(sequences, beginning);

    public ScoredChoices Combine(EncodedText row, ReadOnlySpan<float[]> outputs) => transformer.Scorer.Score(outputs[0]);

    public void TellTruncated(long rows, long truncated) => transformer.TellTruncated(rows, truncated);
}
