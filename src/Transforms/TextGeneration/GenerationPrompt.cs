namespace MLComponents.Transforms;

/// <summary>What is read of a row to generate a text.</summary>
/// <param name="Input">The input.</param>
/// <param name="SystemPrompt">The row's own system prompt; empty where there is none.</param>
/// <param name="Examples">The row's own examples.</param>
internal readonly record struct GenerationPrompt(ReadOnlyMemory<char> Input, ReadOnlyMemory<char> SystemPrompt, IReadOnlyList<ChatExample> Examples);
