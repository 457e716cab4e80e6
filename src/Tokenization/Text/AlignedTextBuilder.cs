namespace MLComponents.Tokenization;

/// <summary>
/// Writes the rewritten form of a text together with its alignment, which it leaves out where the source does not track it. What it
/// writes to belongs to the thread's <see cref="Workspace"/> and lives until that returns it.
/// </summary>
internal ref struct AlignedTextBuilder
{
    private readonly AlignedText _source;
    private readonly bool _tracked;
    private char[] _characters;
    private int[] _starts = [];
    private int[] _ends = [];
    private int _length;
    private int _read;

    /// <summary>A builder that rewrites a text.</summary>
    public AlignedTextBuilder(AlignedText source)
    {
        _source = source;
        _tracked = source.IsTracked;
        Workspace workspace = Workspace.Rented;
        _characters = workspace.RentCharacters(source.Length + 8);
        if (!_tracked) return;
        _starts = workspace.RentIntegers(_characters.Length);
        _ends = workspace.RentIntegers(_characters.Length);
    }

    /// <summary>The number of units written.</summary>
    public readonly int Length => _length;

    /// <summary>Copies the source with its alignment up to an index.</summary>
    public void CopyTo(int index)
    {
        int count = index - _read;
        if (count <= 0) return;
        Reserve(count);
        _source.Characters.Slice(_read, count).CopyTo(_characters.AsSpan(_length));
        for (int unit = 0; _tracked && unit < count; unit++)
        {
            _starts[_length + unit] = _source.OriginalStart(_read + unit);
            _ends[_length + unit] = _source.OriginalEnd(_read + unit);
        }

        _length += count;
        _read = index;
    }

    /// <summary>Leaves out the source up to an index.</summary>
    public void SkipTo(int index) => _read = index;

    /// <summary>Writes a text that shares the range of the character that comes next.</summary>
    public void Prefix(ReadOnlySpan<char> text)
    {
        for (int index = 0; index < text.Length;)
        {
            AppendLike(CodePoints.At(text, index, out int length), _read);
            index += length;
        }
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
    public readonly AlignedText Build() => _tracked
        ? new AlignedText(_characters.AsSpan(0, _length), _starts, _ends)
        : new AlignedText(_characters.AsSpan(0, _length), 0, tracked: false);

    // Both halves of a surrogate pair carry the range of the pair.
    private void AppendLike(int codePoint, int index)
    {
        if (!_tracked)
        {
            Append(codePoint, 0, 0);
            return;
        }

        ReadOnlySpan<char> characters = _source.Characters;
        int first = char.IsLowSurrogate(characters[index]) ? index - 1 : index;
        int last = char.IsHighSurrogate(characters[index]) ? index + 1 : index;
        Append(codePoint, _source.OriginalStart(first), _source.OriginalEnd(last));
    }

    private void Append(int codePoint, int originalStart, int originalEnd)
    {
        Reserve(2);
        if (codePoint < 0x10000)
        {
            AppendUnit((char)codePoint, originalStart, originalEnd);
            return;
        }

        AppendUnit((char)(0xD7C0 + (codePoint >> 10)), originalStart, originalEnd);
        AppendUnit((char)(0xDC00 + (codePoint & 0x3FF)), originalStart, originalEnd);
    }

    private void AppendUnit(char unit, int originalStart, int originalEnd)
    {
        _characters[_length] = unit;
        if (_tracked)
        {
            _starts[_length] = originalStart;
            _ends[_length] = originalEnd;
        }

        _length++;
    }

    private void Reserve(int count)
    {
        if (_length + count <= _characters.Length) return;
        Workspace workspace = Workspace.Rented;
        int capacity = Math.Max(_characters.Length * 2, _length + count);
        char[] characters = workspace.RentCharacters(capacity);
        _characters.AsSpan(0, _length).CopyTo(characters);
        _characters = characters;
        if (!_tracked) return;
        int[] starts = workspace.RentIntegers(characters.Length), ends = workspace.RentIntegers(characters.Length);
        _starts.AsSpan(0, _length).CopyTo(starts);
        _ends.AsSpan(0, _length).CopyTo(ends);
        (_starts, _ends) = (starts, ends);
    }
}
