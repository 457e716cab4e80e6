namespace MLComponents.Tokenization;

/// <summary>Normalized text and the pieces it has been cut into so far.</summary>
internal ref struct PreTokenizedText(AlignedText text, PieceList pieces, PieceList spare)
{
    /// <summary>The text that the pieces are ranges of.</summary>
    public AlignedText Text { get; private set; } = text;

    /// <summary>The pieces in order.</summary>
    public PieceList Pieces { get; private set; } = pieces;

    /// <summary>An empty list to write the next pieces into.</summary>
    public PieceList Spare { get; private set; } = spare;

    /// <summary>Makes the pieces written to <see cref="Spare"/> the present ones, cut from a text that may have been rewritten.</summary>
    public void Advance(AlignedText text)
    {
        Text = text;
        (Pieces, Spare) = (Spare, Pieces);
        Spare.Clear();
    }
}
