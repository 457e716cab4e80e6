namespace MLComponents.Models;

/// <summary>A text that a beam search follows: what was added to the prompt.</summary>
/// <param name="Ids">Padding, prompt and new tokens.</param>
/// <param name="BeamIndices">For each new token the row that it was scored in.</param>
/// <param name="LogProbabilities">The log probability of each new token as the model gives it.</param>
/// <param name="Sum">The sum of the processed scores of the new tokens.</param>
internal sealed record Hypothesis(int[] Ids, int[] BeamIndices, float[] LogProbabilities, float Sum)
{
    /// <summary>What a finished text is ranked by: the sum over the length to a power.</summary>
    public float Score { get; init; }

    public FinishReason? FinishReason { get; init; }

    public string? StopString { get; init; }

    /// <summary>With one more token.</summary>
    /// <param name="id">The token.</param>
    /// <param name="row">The row it was scored in.</param>
    /// <param name="logProbability">Its log probability.</param>
    /// <param name="sum">The sum of scores with it.</param>
    public Hypothesis With(int id, int row, float logProbability, float sum) =>
        new([.. Ids, id], [.. BeamIndices, row], [.. LogProbabilities, logProbability], sum);

    public GeneratedSequence ToSequence(GenerationCall call, int prompt) => new()
    {
        PromptIndex = prompt,
        PromptIds = call.Prompts.Ids(prompt),
        NewIds = Ids[call.Prompts.Length..],
        FinishReason = FinishReason ?? Models.FinishReason.Length,
        StopString = StopString,
        LogProbabilities = LogProbabilities,
        Score = Score,
        BeamIndices = BeamIndices,
    };
}
