namespace MLComponents.Transforms;

/// <summary>A question and its context as the model reads them, in one window or several.</summary>
/// <param name="Context">The context.</param>
/// <param name="Windows">The windows; none where the context has no token.</param>
/// <param name="Places">Where each token of the context is in it, in UTF-16 code units.</param>
/// <param name="Truncated">Whether the question was cut.</param>
internal sealed record QuestionRow(ReadOnlyMemory<char> Context, TokenWindow[] Windows, (int Start, int End)[] Places, bool Truncated) : IEncodedRow
{
    public IReadOnlyList<int[]> Sequences { get; } = [.. Windows.Select(window => window.Ids)];
}
