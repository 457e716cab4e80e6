namespace MLComponents.Models;

/// <summary>A text that was generated.</summary>
public sealed record GeneratedSequence
{
    /// <summary>The index of its prompt.</summary>
    public required int PromptIndex { get; init; }

    /// <summary>The tokens of the prompt, without padding.</summary>
    public required IReadOnlyList<int> PromptIds { get; init; }

    /// <summary>The new tokens, an end included.</summary>
    public required IReadOnlyList<int> NewIds { get; init; }

    /// <summary>Why it ended.</summary>
    public required FinishReason FinishReason { get; init; }

    /// <summary>The stop string that ended it, or null.</summary>
    public string? StopString { get; init; }

    /// <summary>The log probability of each new token as the model gives it, before processors change it. In nats.</summary>
    public required IReadOnlyList<float> LogProbabilities { get; init; }

    /// <summary>The score by which a beam search ranks it, or null without beams.</summary>
    public float? Score { get; init; }

    /// <summary>For each new token the row of <see cref="GenerationOutput.Scores"/> that it comes from; null without beams, where it is always the same row.</summary>
    public IReadOnlyList<int>? BeamIndices { get; init; }

    /// <summary>The prompt and the new tokens.</summary>
    public IReadOnlyList<int> Ids => [.. PromptIds, .. NewIds];
}
