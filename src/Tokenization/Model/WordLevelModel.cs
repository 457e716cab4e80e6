namespace MLComponents.Tokenization;

/// <summary><c>WordLevel</c>: every piece is a token, or unknown.</summary>
internal sealed class WordLevelModel(Vocabulary vocabulary, string unknownToken) : TokenModel(vocabulary)
{
    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids)
    {
        if (!Vocabulary.TryGetId(piece, out int id) && !Vocabulary.TryGetId(unknownToken, out id)) throw NoUnknownToken("WordLevel", piece);
        ids.Add(id);
    }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans)
    {
        Encode(piece, ids);
        spans.Add(0, piece.Length);
    }
}
