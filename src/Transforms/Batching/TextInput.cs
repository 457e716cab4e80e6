namespace MLComponents.Transforms;

/// <summary>What a model reads of a row: a text, or a pair of texts.</summary>
/// <param name="Text">The text.</param>
/// <param name="Pair">The second text of a pair, which may be empty; null where there is none.</param>
internal readonly record struct TextInput(ReadOnlyMemory<char> Text, ReadOnlyMemory<char>? Pair = null)
{
    /// <summary>Characters of all texts.</summary>
    public int Length => Text.Length + (Pair?.Length ?? 0);
}
