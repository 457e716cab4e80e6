namespace MLComponents.Tokenization;

/// <summary>
/// Text on its way through the pipeline: well-formed UTF-16 together with the range of the original text that every unit came from.
/// As long as nothing was rewritten the ranges are implied, so that ordinary text costs no arrays.
/// </summary>
internal readonly ref struct AlignedText
{
    private readonly int[]? _starts;
    private readonly int[]? _ends;

    // Identity: the original offset of the first unit. Otherwise: the index of the first unit in the arrays.
    private readonly int _origin;

    /// <summary>Text that is unchanged from the original, where it begins at <paramref name="origin"/>.</summary>
    /// <param name="characters">The text.</param>
    /// <param name="origin">Where it begins.</param>
    /// <param name="tracked">Whether rewritten forms of it keep the ranges; without that they mean nothing.</param>
    public AlignedText(ReadOnlySpan<char> characters, int origin, bool tracked = true)
    {
        Characters = characters;
        _origin = origin;
        IsTracked = tracked;
    }

    /// <summary>Rewritten text with the original range of every unit.</summary>
    public AlignedText(ReadOnlySpan<char> characters, int[] starts, int[] ends, int origin = 0)
        : this(characters, origin)
    {
        _starts = starts;
        _ends = ends;
    }

    /// <summary>Whether rewritten forms keep the ranges.</summary>
    public bool IsTracked { get; }

    /// <summary>The text in its present form.</summary>
    public ReadOnlySpan<char> Characters { get; }

    /// <summary>The number of UTF-16 units.</summary>
    public int Length => Characters.Length;

    /// <summary>A part of the text.</summary>
    public AlignedText Slice(int start, int length) => _starts is null
        ? new AlignedText(Characters.Slice(start, length), _origin + start, IsTracked)
        : new AlignedText(Characters.Slice(start, length), _starts, _ends!, _origin + start);

    /// <summary>Where in the original text the unit at <paramref name="index"/> begins.</summary>
    public int OriginalStart(int index) => _starts is null ? _origin + index : _starts[_origin + index];

    /// <summary>Where in the original text the unit at <paramref name="index"/> ends.</summary>
    public int OriginalEnd(int index) => _ends is null ? _origin + index + 1 : _ends[_origin + index];

    /// <summary>The range of the original text that the units from <paramref name="start"/> up to <paramref name="end"/> came from.</summary>
    public (int Start, int End) Original(int start, int end) => (OriginalStart(start), OriginalEnd(end - 1));
}
