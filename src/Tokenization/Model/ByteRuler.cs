namespace MLComponents.Tokenization;

/// <summary>
/// Tells which character of a piece a position in its UTF-8 form belongs to: the measure in which the reference keeps token offsets.
/// Either of the piece itself, or of the piece written in the byte alphabet (in which a printable ASCII byte takes one position, any
/// other byte two).
/// </summary>
internal ref struct ByteRuler
{
    private readonly ReadOnlySpan<char> _piece;
    private readonly bool _alphabet;
    private int _character; // index of the present character
    private int _start; // position where it begins
    private int _length;
    private int _width;

    /// <summary>A ruler along a piece.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="alphabet">Whether positions are those of its form in the byte alphabet.</param>
    public ByteRuler(ReadOnlySpan<char> piece, bool alphabet)
    {
        _piece = piece;
        _alphabet = alphabet;
        if (piece.Length > 0) Measure();
    }

    /// <summary>The index of the character at a position, which never decreases between calls; its length in UTF-16 units.</summary>
    public int CharacterAt(int position, out int length)
    {
        while (position >= _start + _width && _character + _length < _piece.Length)
        {
            _start += _width;
            _character += _length;
            Measure();
        }

        length = _length;
        return _character;
    }

    /// <summary>The end, in UTF-16 units, of the character at a position.</summary>
    public int EndOfCharacterAt(int position)
    {
        int start = CharacterAt(position, out int length);
        return start + length;
    }

    private void Measure()
    {
        char unit = _piece[_character];
        _length = char.IsHighSurrogate(unit) && _character + 1 < _piece.Length ? 2 : 1;
        int bytes = unit < 0x80 ? 1 : unit < 0x800 ? 2 : _length == 2 ? 4 : 3;

        // UTF-8 bytes beyond ASCII are never printable ASCII: each is written with a two-byte character.
        _width = !_alphabet ? bytes : unit < 0x80 ? (unit is > ' ' and < (char)0x7F ? 1 : 2) : 2 * bytes;
    }
}
