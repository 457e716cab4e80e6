namespace MLComponents.Transforms;

/// <summary>A row as the model reads it.</summary>
internal interface IEncodedRow
{
    /// <summary>The token ids that the model reads for this row, at least one id each; none where the row needs no model.</summary>
    IReadOnlyList<int[]> Sequences { get; }

    /// <summary>Whether something of the row was cut.</summary>
    bool Truncated { get; }
}
