namespace MLComponents.Models;

/// <summary>What became of the tensors of a checkpoint, and of the weights of the model that it was read into.</summary>
/// <param name="Fresh">Weights of the head that the checkpoint does not have (or has in another size, where another number of labels was asked for): initialised anew.</param>
/// <param name="Unexpected">Tensors of the checkpoint that the model has no place for.</param>
/// <param name="Ignored">Tensors that belong to another head, to a tied head, or to buffers of old checkpoints.</param>
public sealed record CheckpointReport(IReadOnlyList<string> Fresh, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Ignored)
{
    /// <summary>Nothing fresh, unexpected or ignored.</summary>
    public bool IsExact => Fresh.Count + Unexpected.Count + Ignored.Count == 0;

    /// <inheritdoc/>
    public override string ToString() =>
        IsExact ? "every tensor found its place"
        : string.Join("; ", new[] { Describe("initialised anew", Fresh), Describe("unexpected", Unexpected), Describe("ignored", Ignored) }.Where(part => part.Length > 0));

    private static string Describe(string what, IReadOnlyList<string> keys) => keys.Count == 0 ? "" : $"{what}: {string.Join(", ", keys)}";
}
