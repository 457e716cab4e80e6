namespace MLComponents.Tokenization;

/// <summary>
/// Tells which character of a piece a position in its byte-alphabet form belongs to, where a position counts the UTF-8 bytes of that
/// form (a printable ASCII byte takes one, any other two): the measure in which the reference keeps token offsets.
/// </summary>
internal ref struct ByteRuler(ReadOnlySpan<char> piece)
{
    private readonly ReadOnlySpan<char> _piece = piece;
    private int _character = 0; // index of the present character
    private int _start = 0; // position where it begins
    private int _length = piece.Length == 0 ? 0 : Units(piece, 0);
    private int _width = piece.Length == 0 ? 0 : Width(piece, 0);

    /// <summary>The index of the character at a position, which never decreases between calls; its length in UTF-16 units.</summary>
    public int CharacterAt(int position, out int length)
    {
        while (position >= _start + _width && _character + _length < _piece.Length)
        {
            _start += _width;
            _character += _length;
            _length = Units(_piece, _character);
            _width = Width(_piece, _character);
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

    private static int Units(ReadOnlySpan<char> text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length ? 2 : 1;

    private static int Width(ReadOnlySpan<char> text, int index)
    {
        char unit = text[index];
        if (unit < 0x80) return unit is > ' ' and < (char)0x7F ? 1 : 2;

        // UTF-8 bytes of other characters are never printable ASCII: each is written with a two-byte character.
        if (unit < 0x800) return 4;
        return Units(text, index) == 2 ? 8 : 6;
    }
}
