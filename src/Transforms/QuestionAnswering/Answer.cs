namespace MLComponents.Transforms;

/// <summary>A part of a context.</summary>
/// <param name="Text">The part.</param>
/// <param name="Start">Where it begins, in UTF-16 code units; -1 where there is none.</param>
/// <param name="Score">How likely it is among the candidates, 0 to 1.</param>
internal readonly record struct Answer(ReadOnlyMemory<char> Text, int Start, float Score)
{
    /// <summary>What stands for an answer where a context has fewer.</summary>
    public static Answer None { get; } = new(default, -1, 0);
}
