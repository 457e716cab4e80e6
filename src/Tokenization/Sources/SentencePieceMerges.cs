namespace MLComponents.Tokenization;

/// <summary>
/// The merges of a SentencePiece BPE model, which keeps none: a piece is merged from any two pieces that it can be cut into, pieces of
/// higher score earlier.
/// </summary>
internal static class SentencePieceMerges
{
    /// <summary>Derives the merges, in their order.</summary>
    public static IEnumerable<(string Left, string Right)> Derive(IReadOnlyList<(string Text, float Score, SentencePieceKind Kind)> pieces)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < pieces.Count; id++) ids.TryAdd(pieces[id].Text, id);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new List<(float Score, int LeftLength, int RightLength, int Piece, int Left, int Right)>();
        for (int piece = 0; piece < pieces.Count; piece++)
        {
            (string text, float score, SentencePieceKind kind) = pieces[piece];
            if (kind != SentencePieceKind.Normal || ids[text] != piece) continue;
            for (int cut = 1; cut < text.Length; cut++)
            {
                if (char.IsLowSurrogate(text[cut])) continue;
                if (!lookup.TryGetValue(text.AsSpan(0, cut), out int left) || !lookup.TryGetValue(text.AsSpan(cut), out int right)) continue;
                if (pieces[left].Kind == SentencePieceKind.Normal && pieces[right].Kind == SentencePieceKind.Normal)
                    merges.Add((score, CodePoints.Count(text.AsSpan(0, cut)), CodePoints.Count(text.AsSpan(cut)), piece, left, right));
            }
        }

        // As transformers orders what has the same score: the longer left part first, then by id.
        return merges.OrderByDescending(merge => merge.Score)
            .ThenByDescending(merge => merge.LeftLength).ThenByDescending(merge => merge.RightLength)
            .ThenBy(merge => merge.Piece).ThenBy(merge => merge.Left).ThenBy(merge => merge.Right)
            .Select(merge => (pieces[merge.Left].Text, pieces[merge.Right].Text));
    }
}
