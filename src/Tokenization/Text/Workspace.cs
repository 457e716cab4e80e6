namespace MLComponents.Tokenization;

/// <summary>The lists one encoding needs, kept per thread so that encoding allocates little.</summary>
internal sealed class Workspace
{
    [ThreadStatic]
    private static Workspace? _ofThread;

    /// <summary>The workspace of this thread. Encoding calls no code of others, so that it is never used twice at a time.</summary>
    public static Workspace Rented => _ofThread ??= new Workspace();

    /// <summary>Pieces.</summary>
    public PieceList Pieces { get; } = new();

    /// <summary>Pieces to be.</summary>
    public PieceList SparePieces { get; } = new();

    /// <summary>Ids of a whole text, or of a word where more than ids is asked for.</summary>
    public IdBuffer Ids { get; } = new();

    /// <summary>What the tokens of a word cover.</summary>
    public PieceSpans Spans { get; } = new();
}
