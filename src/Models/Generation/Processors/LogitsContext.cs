namespace MLComponents.Models;

/// <summary>The row that scores belong to.</summary>
public readonly ref struct LogitsContext
{
    /// <summary>The tokens of the row so far: padding, prompt and new ones.</summary>
    public required ReadOnlySpan<int> Ids { get; init; }

    /// <summary>How many of them, from the front, are the prompt with its padding.</summary>
    public required int PromptLength { get; init; }

    /// <summary>How many of them, from the front, are padding.</summary>
    public int PaddingLength { get; init; }

    /// <summary>The index of the prompt. With beams, or several texts for each prompt, several rows have the same.</summary>
    public int PromptIndex { get; init; }

    /// <summary>The prompt, with its padding.</summary>
    public ReadOnlySpan<int> PromptIds => Ids[..PromptLength];

    /// <summary>The new tokens.</summary>
    public ReadOnlySpan<int> NewIds => Ids[PromptLength..];

    /// <summary>The tokens that beams of earlier groups have taken in this step.</summary>
    internal ReadOnlySpan<int> EarlierGroupIds { get; init; }
}
