using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>The lists one encoding needs, kept per thread so that encoding allocates little.</summary>
internal sealed class Workspace
{
    private const int LargestKept = 1 << 20;

    private readonly List<char[]> _characters = [];
    private readonly List<int[]> _integers = [];

    [ThreadStatic]
    private static Workspace? _ofThread;

    /// <summary>The workspace of this thread. Encoding calls no code of others, so that it is never used twice at a time.</summary>
    public static Workspace Rented => _ofThread ??= new Workspace();

    /// <summary>Lets go of the workspace of this thread if a huge text has made it large.</summary>
    public static void Trim()
    {
        if (_ofThread is { } workspace && Math.Max(workspace.Ids.Capacity, workspace.Pieces.Capacity) > LargestKept) _ofThread = null;
    }

    /// <summary>Pieces.</summary>
    public PieceList Pieces { get; } = new();

    /// <summary>Pieces to be.</summary>
    public PieceList SparePieces { get; } = new();

    /// <summary>Ids of a whole text, or of a word where more than ids is asked for.</summary>
    public IdBuffer Ids { get; } = new();

    /// <summary>What the tokens of a word cover.</summary>
    public PieceSpans Spans { get; } = new();

    /// <summary>Room for text, up to <see cref="ReturnTexts"/>.</summary>
    public char[] RentCharacters(int length)
    {
        char[] rented = ArrayPool<char>.Shared.Rent(length);
        _characters.Add(rented);
        return rented;
    }

    /// <summary>Room for ranges of text, up to <see cref="ReturnTexts"/>.</summary>
    public int[] RentIntegers(int length)
    {
        int[] rented = ArrayPool<int>.Shared.Rent(length);
        _integers.Add(rented);
        return rented;
    }

    /// <summary>Ends the life of all rewritten texts of this thread.</summary>
    public void ReturnTexts()
    {
        foreach (char[] rented in _characters) ArrayPool<char>.Shared.Return(rented);
        foreach (int[] rented in _integers) ArrayPool<int>.Shared.Return(rented);
        _characters.Clear();
        _integers.Clear();
    }
}
