namespace MLComponents.Tokenization;

/// <summary>A side of a row of tokens: where it is padded or cut.</summary>
public enum SequenceSide
{
    /// <summary>The beginning.</summary>
    Left,

    /// <summary>The end.</summary>
    Right,
}
