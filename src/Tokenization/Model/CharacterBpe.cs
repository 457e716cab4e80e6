using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>
/// Byte-pair encoding of the characters of a piece: begins with one token per code point, writes unknown ones as bytes or as the unknown
/// token, then merges the pair of lowest rank, the leftmost first, until no pair merges.
/// </summary>
internal sealed class CharacterBpe : CachingModel
{
    private const int StackLimit = 128;

    private readonly BpeSettings _settings;
    private readonly MergeTable _merges;
    private readonly int[] _characterIds; // ids of the code points of one UTF-16 unit, or -1
    private readonly int[] _byteIds = new int[256];
    private readonly int _unknownId = -1;
    private readonly int _longestToken;
    private readonly bool _hasAffixes;
    private readonly char _boundary; // no token crosses the place before this character; '\0' where there is none such
    private readonly int[] _widths; // bytes that a token always covers; 0 where that depends on the text

    /// <summary>A model over a vocabulary.</summary>
    public CharacterBpe(Vocabulary vocabulary, MergeTable merges, BpeSettings settings)
        : base(vocabulary)
    {
        _settings = settings;
        _merges = merges;
        _hasAffixes = settings.ContinuingSubwordPrefix.Length + settings.EndOfWordSuffix.Length > 0;
        if (settings.UnknownToken is { } unknown && vocabulary.TryGetId(unknown, out int id)) _unknownId = id;
        for (int value = 0; value < 256; value++)
            _byteIds[value] = vocabulary.TryGetId(FormattableString.Invariant($"<0x{value:X2}>"), out id) ? id : -1;
        _characterIds = new int[0x10000];
        Array.Fill(_characterIds, -1);
        for (id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary[id] is not { } token) continue;
            if (token.Length == 1) _characterIds[token[0]] = id;
            _longestToken = Math.Max(_longestToken, token.Length);
        }

        _widths = FindWidths();
        foreach (char candidate in "\u2581 ")
            if (_boundary == '\0' && !_hasAffixes && _characterIds[candidate] >= 0 && IsBoundary(candidate)) _boundary = candidate;
    }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids)
    {
        if (TryWholePiece(piece, ids)) return;
        while (piece.Length > 0)
        {
            ReadOnlySpan<char> word = piece[..EndOfWord(piece)];
            piece = piece[word.Length..];
            EncodeCached(word, ids);
        }
    }

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans)
    {
        if (TryWholePiece(piece, ids))
        {
            spans.Add(0, piece.Length);
            return;
        }

        var ruler = new ByteRuler(piece, alphabet: false);
        int position = 0;
        for (int from = 0; from < piece.Length;)
        {
            ReadOnlySpan<char> word = piece[from..];
            word = word[..EndOfWord(word)];
            from += word.Length;
            int before = ids.Count;
            EncodeCached(word, ids);
            int bytes = System.Text.Encoding.UTF8.GetByteCount(word);
            if (HasKnownWidths(ids.Ids[before..], bytes))
            {
                foreach (int id in ids.Ids[before..]) AddSpan(ref ruler, ref position, _widths[id], spans);
                continue;
            }

            ids.Truncate(before);
            int[] widths = ArrayPool<int>.Shared.Rent(MostSymbols(word));
            int count = Merge(word, ids, widths);
            for (int token = 0; token < count; token++) AddSpan(ref ruler, ref position, widths[token], spans);
            ArrayPool<int>.Shared.Return(widths);
        }
    }

    /// <inheritdoc/>
    protected override void EncodeWord(ReadOnlySpan<char> word, IdBuffer ids) => Merge(word, ids, []);

    private static void AddSpan(ref ByteRuler ruler, ref int position, int width, PieceSpans spans)
    {
        int end = position + width;
        spans.Add(ruler.CharacterAt(position, out _), ruler.EndOfCharacterAt(Math.Max(position, end - 1)));
        position = end;
    }

    // Whether every token covers as many bytes as it has, so that merging again tells nothing new.
    private bool HasKnownWidths(ReadOnlySpan<int> ids, int bytes)
    {
        foreach (int id in ids)
        {
            if (_widths[id] == 0) return false;
            bytes -= _widths[id];
        }

        return bytes == 0;
    }

    private int MostSymbols(ReadOnlySpan<char> word) =>
        (3 * (word.Length + _settings.EndOfWordSuffix.Length)) + (3 * word.Length * _settings.ContinuingSubwordPrefix.Length) + 1;

    private int[] FindWidths()
    {
        var widths = new int[Vocabulary.Size];
        if (_hasAffixes) return widths;
        for (int id = 0; id < widths.Length; id++)
            if (id != _unknownId && Vocabulary[id] is { } token) widths[id] = System.Text.Encoding.UTF8.GetByteCount(token);

        // A byte token covers one byte, unless merges can spell it too.
        if (!_settings.ByteFallback) return widths;
        HashSet<int> merged = _merges.Results;
        foreach (int id in _byteIds)
            if (id >= 0) widths[id] = merged.Contains(id) ? 0 : 1;
        return widths;
    }

    // Whether no token, and so no merge, holds the character behind a different one: then words that begin with it are independent.
    private bool IsBoundary(char boundary)
    {
        for (int id = 0; id < Vocabulary.Size; id++)
        {
            if (Vocabulary[id] is not { } token) continue;
            for (int index = 1; index < token.Length; index++)
                if (token[index] == boundary && token[index - 1] != boundary) return false;
        }

        return true;
    }

    private int EndOfWord(ReadOnlySpan<char> piece)
    {
        if (_boundary == '\0') return piece.Length;
        int index = 0;
        while (index < piece.Length && piece[index] == _boundary) index++;
        int next = piece[index..].IndexOf(_boundary);
        return next < 0 ? piece.Length : index + next;
    }

    private bool TryWholePiece(ReadOnlySpan<char> piece, IdBuffer ids)
    {
        if (!_settings.IgnoreMerges || piece.Length > _longestToken || !Vocabulary.TryGetId(piece, out int id)) return false;
        ids.Add(id);
        return true;
    }

    // Appends the ids of a word and tells, where there is room, how many bytes each of them covers; returns how many there are.
    private int Merge(ReadOnlySpan<char> word, IdBuffer ids, Span<int> widths)
    {
        int limit = MostSymbols(word);
        int[]? rented = limit > StackLimit ? ArrayPool<int>.Shared.Rent(3 * limit) : null;
        Span<int> room = rented is null ? stackalloc int[3 * StackLimit] : rented;
        Span<int> symbols = room[..limit], symbolWidths = room.Slice(limit, limit), origins = room.Slice(2 * limit, limit);
        int length = ReadSymbols(word, symbols, symbolWidths);
        symbols = symbols[..length];
        origins = widths.IsEmpty ? [] : origins[..length];
        int count = PairMerger.Merge(_merges, symbols, origins);
        ids.Add(symbols[..count]);
        for (int token = 0; token < count && !widths.IsEmpty; token++)
        {
            int end = token + 1 < count ? origins[token + 1] : length;
            int width = 0;
            for (int symbol = origins[token]; symbol < end; symbol++) width += symbolWidths[symbol];
            widths[token] = width;
        }

        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
        return count;
    }

    private int ReadSymbols(ReadOnlySpan<char> word, Span<int> symbols, Span<int> widths)
    {
        int count = 0;
        int unknownWidth = 0; // of unknown characters that are not written yet
        for (int index = 0; index < word.Length;)
        {
            int codePoint = CodePoints.At(word, index, out int length);
            ReadOnlySpan<char> character = word.Slice(index, length);
            int width = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
            if (_hasAffixes) character = WithAffixes(character, index == 0, index + length == word.Length);
            index += length;
            if (TryGetId(character, out int id))
            {
                if (unknownWidth > 0) (symbols[count], widths[count++], unknownWidth) = (_unknownId, unknownWidth, 0);
                (symbols[count], widths[count++]) = (id, width);
                continue;
            }

            // As in the reference, bytes do not end a run of unknown characters: the unknown token comes behind them.
            if (_settings.ByteFallback && TryReadBytes(character, symbols[count..], out int bytes))
            {
                widths.Slice(count, bytes).Fill(1);
                count += bytes;
                continue;
            }

            if (_settings.UnknownToken is null) continue; // vanishes
            if (_unknownId < 0) throw NoUnknownToken("BPE", word);
            if (unknownWidth > 0 && !_settings.FuseUnknown) (symbols[count], widths[count++], unknownWidth) = (_unknownId, unknownWidth, 0);
            unknownWidth += width;
        }

        if (unknownWidth > 0) (symbols[count], widths[count++]) = (_unknownId, unknownWidth);
        return count;
    }

    private string WithAffixes(ReadOnlySpan<char> character, bool isFirst, bool isLast) =>
        string.Concat(isFirst ? "" : _settings.ContinuingSubwordPrefix, character, isLast ? _settings.EndOfWordSuffix : "");

    private bool TryGetId(ReadOnlySpan<char> character, out int id)
    {
        if (character.Length != 1) return Vocabulary.TryGetId(character, out id);
        id = _characterIds[character[0]];
        return id >= 0;
    }

    private bool TryReadBytes(ReadOnlySpan<char> character, Span<int> symbols, out int count)
    {
        count = System.Text.Encoding.UTF8.GetByteCount(character);
        byte[]? rented = count > 16 ? ArrayPool<byte>.Shared.Rent(count) : null;
        Span<byte> bytes = rented is null ? stackalloc byte[16] : rented;
        System.Text.Encoding.UTF8.GetBytes(character, bytes);
        bool all = true;
        for (int index = 0; index < count && all; index++)
        {
            symbols[index] = _byteIds[bytes[index]];
            all = symbols[index] >= 0;
        }

        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return all;
    }
}
