using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>
/// <c>Unigram</c>: of all ways to cut a piece into tokens, the one whose scores have the largest sum (Viterbi), computed from left to
/// right in double precision as the reference does, so that ties and rounding fall the same way. A character that no token covers by
/// itself costs ten less than the lowest score; neighbouring ones are joined and looked up, written as bytes, or unknown.
/// </summary>
internal sealed class UnigramModel : CachingModel
{
    private const double UnknownPenalty = 10;

    private readonly double[] _scores;
    private readonly int _unknownId;
    private readonly double _unknownScore;
    private readonly int[]? _byteIds;
    private readonly PieceTrie _trie = new();
    private readonly int[] _lengths; // units that a token always covers; 0 where that depends on the text

    /// <summary>A model over a vocabulary.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="scores">The score of every id.</param>
    /// <param name="unknownId">The unknown token, or -1.</param>
    /// <param name="byteFallback">Whether unknown characters are written with the tokens &lt;0x00&gt; to &lt;0xFF&gt; of their bytes.</param>
    public UnigramModel(Vocabulary vocabulary, double[] scores, int unknownId, bool byteFallback)
        : base(vocabulary)
    {
        _scores = scores;
        _unknownId = unknownId;
        _unknownScore = (scores.Length == 0 ? 0 : scores.Min()) - UnknownPenalty;
        _lengths = new int[vocabulary.Size];
        for (int id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary[id] is not { Length: > 0 } token) continue;
            _trie.Add(token, id);
            if (id != unknownId) _lengths[id] = token.Length;
        }

        if (!byteFallback) return;
        _byteIds = new int[256];
        for (int value = 0; value < 256; value++)
        {
            _byteIds[value] = vocabulary.TryGetId(FormattableString.Invariant($"<0x{value:X2}>"), out int id) ? id : -1;
            if (_byteIds[value] >= 0) _lengths[_byteIds[value]] = 0; // a byte, or its spelling in the text
        }
    }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids) => EncodeCached(piece, ids);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans)
    {
        int before = ids.Count;
        EncodeCached(piece, ids);
        if (HaveKnownLengths(ids.Ids[before..], piece.Length))
        {
            int start = 0;
            foreach (int id in ids.Ids[before..]) spans.Add(start, start += _lengths[id]);
            return;
        }

        ids.Truncate(before);
        EncodePiece(piece, ids, spans);
    }

    /// <inheritdoc/>
    public override string TokenText(int id, ReadOnlySpan<char> surface) => id == _unknownId ? surface.ToString() : Vocabulary[id]!;

    /// <inheritdoc/>
    protected override void EncodeWord(ReadOnlySpan<char> word, IdBuffer ids) => EncodePiece(word, ids, null);

    private bool HaveKnownLengths(ReadOnlySpan<int> ids, int length)
    {
        foreach (int id in ids)
        {
            if (_lengths[id] == 0) return false;
            length -= _lengths[id];
        }

        return length == 0;
    }

    private void EncodePiece(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans? spans)
    {
        int places = piece.Length + 1;
        double[] best = ArrayPool<double>.Shared.Rent(places); // of all ways to the place
        int[] starts = ArrayPool<int>.Shared.Rent(places); // where the last token of the best way begins; -1 where no way was found
        int[] tokens = ArrayPool<int>.Shared.Rent(places); // that token
        FindBestWay(piece, best, starts, tokens);

        // The way back, kept forwards: the bounds of the tokens, where runs of unknown ones are one.
        int count = 0;
        int[] bounds = starts; // overwritten from its end, behind what is still to be read
        int write = places;
        for (int end = piece.Length; end > 0;)
        {
            int start = starts[end];
            while (tokens[end] == _unknownId && start > 0 && tokens[start] == _unknownId) start = starts[start];
            int token = tokens[end];
            bounds[--write] = end;
            tokens[write] = token;
            count++;
            end = start;
        }

        int from = 0;
        for (int index = write; index < places; index++)
        {
            int end = bounds[index];
            Add(piece, from, end, tokens[index], ids, spans);
            from = end;
        }

        ArrayPool<double>.Shared.Return(best);
        ArrayPool<int>.Shared.Return(starts);
        ArrayPool<int>.Shared.Return(tokens);
    }

    private void FindBestWay(ReadOnlySpan<char> piece, double[] best, int[] starts, int[] tokens)
    {
        best.AsSpan(0, piece.Length + 1).Clear();
        starts.AsSpan(0, piece.Length + 1).Fill(-1);
        for (int start = 0; start < piece.Length;)
        {
            double soFar = best[start];
            CodePoints.At(piece, start, out int length);
            bool hasSingle = false;
            int node = PieceTrie.Root;
            for (int end = start + 1; end <= piece.Length; end++)
            {
                node = _trie.Next(node, piece[end - 1]);
                if (node < 0) break;
                int id = _trie.Value(node);
                if (id < 0) continue;
                Offer(end, _scores[id] + soFar, start, id);
                hasSingle |= end == start + length;
            }

            if (!hasSingle)
            {
                if (_unknownId < 0) throw NoUnknownToken("Unigram", piece[start..]);
                Offer(start + length, _unknownScore + soFar, start, _unknownId);
            }

            start += length;
        }

        void Offer(int end, double score, int start, int id)
        {
            if (starts[end] >= 0 && score <= best[end]) return;
            (best[end], starts[end], tokens[end]) = (score, start, id);
        }
    }

    private void Add(ReadOnlySpan<char> piece, int start, int end, int token, IdBuffer ids, PieceSpans? spans)
    {
        if (token == _unknownId && !Vocabulary.TryGetId(piece[start..end], out token))
        {
            token = _unknownId;
            if (TryAddBytes(piece, start, end, ids, spans)) return;
        }

        ids.Add(token);
        spans?.Add(start, end);
    }

    private bool TryAddBytes(ReadOnlySpan<char> piece, int start, int end, IdBuffer ids, PieceSpans? spans)
    {
        if (_byteIds is null) return false;
        ReadOnlySpan<char> surface = piece[start..end];
        int count = System.Text.Encoding.UTF8.GetByteCount(surface);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(count);
        System.Text.Encoding.UTF8.GetBytes(surface, bytes);
        bool all = true;
        for (int index = 0; index < count; index++) all &= _byteIds[bytes[index]] >= 0;
        for (int index = 0; index < count && all; index++)
        {
            ids.Add(_byteIds[bytes[index]]);
            spans?.Add(start, end);
        }

        ArrayPool<byte>.Shared.Return(bytes);
        return all;
    }
}
