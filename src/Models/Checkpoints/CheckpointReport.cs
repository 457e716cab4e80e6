namespace MLComponents.Models;

/// <summary>What became of the tensors of a checkpoint, and of the weights of the model that it was read into.</summary>
/// <param name="Fresh">Weights of the head that the checkpoint does not have (or has in another size, where another number of labels was asked for): initialised anew.</param>
/// <param name="Missing">Weights of the decoder that the checkpoint does not have: initialised anew. Empty unless mismatched sizes were to be ignored; such a checkpoint is refused otherwise.</param>
/// <param name="Mismatched">Tensors that the checkpoint has in another shape, with what was found and what was expected: initialised anew. Empty as <paramref name="Missing"/> is.</param>
/// <param name="Unexpected">Tensors of the checkpoint that the model has no place for.</param>
/// <param name="Ignored">Tensors that belong to another head, to a tied head, or to buffers of old checkpoints.</param>
public sealed record CheckpointReport(
    IReadOnlyList<string> Fresh, IReadOnlyList<string> Missing, IReadOnlyList<string> Mismatched, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Ignored)
{
    /// <summary>Whether every tensor found its place and every place its tensor.</summary>
    public bool IsExact => Fresh.Count + Missing.Count + Mismatched.Count + Unexpected.Count + Ignored.Count == 0;

    /// <inheritdoc/>
    public override string ToString()
    {
        if (IsExact) return "every tensor found its place";
        (string What, IReadOnlyList<string> Keys)[] parts =
        [
            ("initialised anew", Fresh), ("missing and initialised anew", Missing), ("of another shape and initialised anew", Mismatched), ("unexpected", Unexpected),
            ("ignored", Ignored),
        ];
        return string.Join("; ", parts.Where(part => part.Keys.Count > 0).Select(part => $"{part.What}: {string.Join(", ", part.Keys)}"));
    }
}
