namespace MLComponents.Models;

/// <summary>A token as it comes.</summary>
public sealed record GeneratedToken
{
    /// <summary>The token.</summary>
    public required int Id { get; init; }

    /// <summary>Its log probability as the model gives it, in nats.</summary>
    public required float LogProbability { get; init; }

    /// <summary>
    /// The text that is certain now, where the input has a tokenizer: whole characters only, without special tokens, and nothing that may be the beginning of a stop
    /// string. All of them together are the text up to the stop string.
    /// </summary>
    public string Text { get; init; } = "";

    /// <summary>Why the text ends with this token; null while it goes on.</summary>
    public FinishReason? FinishReason { get; init; }

    /// <summary>With the last token, what the model has read, if it was asked for. The caller's to dispose.</summary>
    public PromptCache? Cache { get; init; }
}
