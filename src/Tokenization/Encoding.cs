namespace MLComponents.Tokenization;

/// <summary>
/// A text as tokens. All lists have one entry per token. Offsets are exact in the text that was given, whatever normalization did to it.
/// </summary>
public sealed class Encoding
{
    private readonly string _text;

    internal Encoding(string text, int[] ids, string[] tokens, Range[] offsets, bool[] specialTokensMask, int?[] wordIds)
    {
        _text = text;
        Ids = ids;
        Tokens = tokens;
        Offsets = offsets;
        SpecialTokensMask = specialTokensMask;
        WordIds = wordIds;
    }

    /// <summary>The token ids.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>The tokens as the vocabulary writes them; an added token with the white space it swallowed.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>
    /// The ranges of the original text, in UTF-16 units counted from the start, that the tokens came from. Tokens that share a character
    /// all have its whole range; tokens that came from no text have an empty range at 0.
    /// </summary>
    public IReadOnlyList<Range> Offsets { get; }

    /// <summary>True for tokens that the post-processor added; false for tokens of the text, also for special tokens written in it.</summary>
    public IReadOnlyList<bool> SpecialTokensMask { get; }

    /// <summary>The piece of the pre-tokenized text, counted from 0, that a token belongs to; null for tokens that were added to the text.</summary>
    public IReadOnlyList<int?> WordIds { get; }

    /// <summary>
    /// The offsets counted in Unicode code points, as Python counts them. A lone surrogate counts as one code point.
    /// </summary>
    /// <returns>Start and end (exclusive) per token.</returns>
    public IReadOnlyList<(int Start, int End)> GetCodePointOffsets()
    {
        var codePoints = new int[_text.Length + 1]; // how many begin before a UTF-16 index
        for (int index = 0, count = 0; index < _text.Length;)
        {
            CodePoints.At(_text, index, out int length);
            index += length;
            codePoints[index] = ++count;
        }

        var offsets = new (int Start, int End)[Offsets.Count];
        for (int token = 0; token < offsets.Length; token++)
            offsets[token] = (codePoints[Offsets[token].Start.Value], codePoints[Offsets[token].End.Value]);
        return offsets;
    }
}
