namespace MLComponents.Transforms;

/// <summary>What is read of a row to make a prompt.</summary>
/// <param name="Input">The input.</param>
/// <param name="SystemPrompt">The row's own system prompt; empty where there is none.</param>
/// <param name="Examples">The row's own examples.</param>
internal readonly record struct GenerationPrompt(ReadOnlyMemory<char> Input, ReadOnlyMemory<char> SystemPrompt, IReadOnlyList<ChatExample> Examples)
{
    /// <summary>Characters that it holds on to.</summary>
    public int Characters => Input.Length + SystemPrompt.Length + Examples.Sum(static example => example.Input.Length + example.Output.Length);
}
