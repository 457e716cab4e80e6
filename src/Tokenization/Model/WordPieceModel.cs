namespace MLComponents.Tokenization;

/// <summary><c>WordPiece</c>: the longest token that a piece begins with, again and again; one unknown token for the piece if that fails.</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly string _unknown;
    private readonly string _prefix;
    private readonly int _longestPiece;
    private readonly int _longestToken;

    /// <summary>A model over a vocabulary.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="unknownToken">What is written for a piece that cannot be cut into tokens.</param>
    /// <param name="continuingSubwordPrefix">What tokens inside of a piece begin with.</param>
    /// <param name="maxInputCharsPerWord">Pieces of more code points are unknown.</param>
    public WordPieceModel(Vocabulary vocabulary, string unknownToken, string continuingSubwordPrefix, int maxInputCharsPerWord)
        : base(vocabulary)
    {
        (_unknown, _prefix, _longestPiece) = (unknownToken, continuingSubwordPrefix, maxInputCharsPerWord);
        for (int id = 0; id < vocabulary.Size; id++) _longestToken = Math.Max(_longestToken, vocabulary[id]?.Length ?? 0);
    }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids) => EncodePiece(piece, ids, null);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans) => EncodePiece(piece, ids, spans);

    private void EncodePiece(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans? spans)
    {
        int before = ids.Count, spansBefore = spans?.Count ?? 0;
        bool known = piece.Length <= _longestPiece || CodePoints.Count(piece) <= _longestPiece;
        for (int start = 0; known && start < piece.Length;)
        {
            int end = LongestToken(piece, start, out int id);
            known = end > start;
            if (!known) break;
            ids.Add(id);
            spans?.Add(start, end);
            start = end;
        }

        if (known) return;
        ids.Truncate(before);
        spans?.Truncate(spansBefore);
        if (!Vocabulary.TryGetId(_unknown, out int unknown)) throw NoUnknownToken("WordPiece", piece);
        ids.Add(unknown);
        spans?.Add(0, piece.Length);
    }

    private int LongestToken(ReadOnlySpan<char> piece, int start, out int id)
    {
        int prefix = start > 0 ? _prefix.Length : 0;
        int end = Math.Min(piece.Length, start + Math.Max(0, _longestToken - prefix));
        Span<char> token = prefix > 0 ? new char[prefix + end - start] : [];
        if (prefix > 0)
        {
            _prefix.CopyTo(token);
            piece[start..end].CopyTo(token[prefix..]);
        }

        for (; end > start; end--)
        {
            if (end < piece.Length && char.IsLowSurrogate(piece[end])) continue; // no cut inside a pair
            if (Vocabulary.TryGetId(prefix > 0 ? token[..(prefix + end - start)] : piece[start..end], out id)) return end;
        }

        id = -1;
        return start;
    }
}
