namespace MLComponents.Tokenization;

/// <summary>Writes the rewritten form of a text together with its alignment.</summary>
internal ref struct AlignedTextBuilder(AlignedText source)
{
    private readonly AlignedText _source = source;
    private char[] _characters = new char[source.Length + 8];
    private int[] _starts = new int[source.Length + 8];
    private int[] _ends = new int[source.Length + 8];
    private int _length = 0;
    private int _read = 0;

    /// <summary>The number of units written.</summary>
    public readonly int Length => _length;

    /// <summary>Writes one code point that came from a range of the original text.</summary>
    public void Append(int codePoint, int originalStart, int originalEnd)
    {
        if (codePoint < 0x10000)
        {
            AppendUnit((char)codePoint, originalStart, originalEnd);
            return;
        }

        AppendUnit((char)(0xD7C0 + (codePoint >> 10)), originalStart, originalEnd);
        AppendUnit((char)(0xDC00 + (codePoint & 0x3FF)), originalStart, originalEnd);
    }

    /// <summary>Copies units of the source with their alignment.</summary>
    public void Copy(int start, int length)
    {
        for (int index = start; index < start + length; index++)
            AppendUnit(_source.Characters[index], _source.OriginalStart(index), _source.OriginalEnd(index));
    }

    /// <summary>
    /// Writes the next code point of a transformation that consumes the source in order, with the rule by which the reference aligns:
    /// a change of 1 is a code point more, which belongs to what was read last; otherwise the code point replaces the next one
    /// of the source, and a change of -n swallows n further ones, which then belong to no output.
    /// </summary>
    public void Transform(int codePoint, int change)
    {
        if (change > 0)
        {
            if (_read == 0) Append(codePoint, _source.OriginalStart(0), _source.OriginalStart(0));
            else AppendLike(codePoint, _read - 1);
            return;
        }

        if (_read < _source.Length)
        {
            AppendLike(codePoint, _read);
            for (int swallow = change; swallow <= 0 && _read < _source.Length; swallow++)
            {
                CodePoints.At(_source.Characters, _read, out int length);
                _read += length;
            }
        }
    }

    /// <summary>The text as written so far.</summary>
    public readonly AlignedText Build() => new(_characters.AsSpan(0, _length), _starts, _ends);

    // Both halves of a surrogate pair carry the range of the pair.
    private void AppendLike(int codePoint, int index)
    {
        ReadOnlySpan<char> characters = _source.Characters;
        int first = char.IsLowSurrogate(characters[index]) ? index - 1 : index;
        int last = char.IsHighSurrogate(characters[index]) ? index + 1 : index;
        Append(codePoint, _source.OriginalStart(first), _source.OriginalEnd(last));
    }

    private void AppendUnit(char unit, int originalStart, int originalEnd)
    {
        if (_length == _characters.Length)
        {
            Array.Resize(ref _characters, _length * 2);
            Array.Resize(ref _starts, _length * 2);
            Array.Resize(ref _ends, _length * 2);
        }

        _characters[_length] = unit;
        _starts[_length] = originalStart;
        _ends[_length++] = originalEnd;
    }
}
