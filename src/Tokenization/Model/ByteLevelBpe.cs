using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>
/// Byte-pair encoding of the bytes of a piece: begins with one token per byte, then merges the pair of lowest rank, the leftmost first,
/// until no pair merges. Bytes without a token vanish, and tokens behind them move forward, exactly as in the reference.
/// </summary>
internal sealed class ByteLevelBpe : CachingModel
{
    private const int StackLimit = 256;

    private readonly MergeTable _merges;
    private readonly bool _ignoreMerges;
    private readonly int[] _byteIds = new int[256];
    private readonly ushort[] _widths; // the length of tokens in UTF-8, in the byte alphabet

    /// <summary>A model over a vocabulary written in the byte alphabet.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="merges">What merges.</param>
    /// <param name="ignoreMerges">Whether a piece that is a token by itself is that token, whatever merges say.</param>
    public ByteLevelBpe(Vocabulary vocabulary, MergeTable merges, bool ignoreMerges)
        : base(vocabulary)
    {
        _merges = merges;
        _ignoreMerges = ignoreMerges;
        _widths = vocabulary.Utf8Lengths();
        for (int value = 0; value < 256; value++)
            _byteIds[value] = vocabulary.TryGetId([ByteAlphabet.ToCharacter((byte)value)], out int id) ? id : -1;
    }

    /// <summary>The bytes that have no token.</summary>
    public IEnumerable<byte> MissingBytes => Enumerable.Range(0, 256).Where(value => _byteIds[value] < 0).Select(value => (byte)value);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids) => EncodeCached(piece, ids);

    /// <inheritdoc/>
    public override void Encode(ReadOnlySpan<char> piece, IdBuffer ids, PieceSpans spans)
    {
        int before = ids.Count;
        Encode(piece, ids);
        var ruler = new ByteRuler(piece, alphabet: true);
        int position = 0;
        foreach (int id in ids.Ids[before..])
        {
            int end = position + _widths[id];
            spans.Add(ruler.CharacterAt(position, out _), ruler.EndOfCharacterAt(end - 1));
            position = end;
        }
    }

    /// <inheritdoc/>
    protected override void EncodeWord(ReadOnlySpan<char> word, IdBuffer ids)
    {
        int limit = word.Length * 3;
        byte[]? rentedBytes = limit > StackLimit ? ArrayPool<byte>.Shared.Rent(limit) : null;
        Span<byte> bytes = rentedBytes is null ? stackalloc byte[StackLimit] : rentedBytes;
        bytes = bytes[..System.Text.Encoding.UTF8.GetBytes(word, bytes)];
        if (!_ignoreMerges || !TryWholePiece(bytes, ids)) Merge(bytes, ids);
        if (rentedBytes is not null) ArrayPool<byte>.Shared.Return(rentedBytes);
    }

    private bool TryWholePiece(ReadOnlySpan<byte> bytes, IdBuffer ids)
    {
        if (bytes.Length > StackLimit) return false;
        Span<char> token = stackalloc char[StackLimit];
        for (int index = 0; index < bytes.Length; index++) token[index] = ByteAlphabet.ToCharacter(bytes[index]);
        if (!Vocabulary.TryGetId(token[..bytes.Length], out int id)) return false;
        ids.Add(id);
        return true;
    }

    private void Merge(ReadOnlySpan<byte> bytes, IdBuffer ids)
    {
        int[]? rented = bytes.Length > StackLimit ? ArrayPool<int>.Shared.Rent(bytes.Length) : null;
        Span<int> symbols = rented is null ? stackalloc int[StackLimit] : rented;
        int count = 0;
        foreach (byte value in bytes)
            if (_byteIds[value] >= 0) symbols[count++] = _byteIds[value];
        symbols = symbols[..count];
        count = PairMerger.Merge(_merges, symbols);
        ids.Add(symbols[..count]);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
    }
}
