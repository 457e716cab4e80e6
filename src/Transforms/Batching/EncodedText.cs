namespace MLComponents.Transforms;

/// <summary>A text as the model reads it.</summary>
/// <param name="Ids">The token ids, at least one.</param>
/// <param name="Truncated">Whether tokens were cut to fit the longest length allowed.</param>
internal readonly record struct EncodedText(int[] Ids, bool Truncated) : IEncodedRow
{
    IReadOnlyList<int[]> IEncodedRow.Sequences => [Ids];
}
