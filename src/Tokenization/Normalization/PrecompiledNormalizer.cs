using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>
/// <c>Precompiled</c>: the replacement table of a SentencePiece model, a double-array trie over UTF-8 with the texts it leads to. It is
/// asked for every grapheme of less than six bytes, then for every code point by itself, and gives the shortest entry that the asked
/// text begins with, as the reference does.
/// </summary>
internal sealed class PrecompiledNormalizer : TextNormalizer
{
    private const int LongestGrapheme = 6;
    private const int LongestText = 4096;

    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly SearchValues<char> _plain; // ASCII characters that stay as they are, whatever ASCII character follows

    /// <summary>Reads the table: the size of the trie in bytes (little endian), the trie, the texts, each ended by a zero.</summary>
    /// <exception cref="FormatException">It is no such table.</exception>
    public PrecompiledNormalizer(byte[] map)
    {
        if (map.Length < 4) throw new FormatException($"a replacement table of {map.Length} bytes, which is too short for its header");
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size % 4 != 0 || size > map.Length - 4) throw new FormatException($"a replacement table of {map.Length} bytes whose trie claims {size}");
        _trie = new uint[size / 4];
        for (int unit = 0; unit < _trie.Length; unit++) _trie[unit] = BinaryPrimitives.ReadUInt32LittleEndian(map.AsSpan(4 + (4 * unit)));
        _texts = map[(4 + (int)size)..];

        // Texts are short; a table without their ends would make a book of every character.
        for (int place = 0; place < _texts.Length;)
        {
            int length = _texts.AsSpan(place).IndexOf((byte)0);
            if (length < 0) length = _texts.Length - place;
            if (length > LongestText) throw new FormatException($"a replacement table with a text of {length} bytes (at most {LongestText})");
            place += length + 1;
        }

        // A carriage return may be one grapheme with the line feed behind it.
        _plain = SearchValues.Create([.. Enumerable.Range(1, 127).Select(unit => (char)unit).Where(unit => unit != '\r' && !TryFind([unit], out _))]);
    }

    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        ReadOnlySpan<char> characters = text.Characters;
        if (!characters.ContainsAnyExcept(_plain)) return text;
        var transformed = new List<(int CodePoint, int Change)>(characters.Length + 16);
        bool modified = false;
        for (int index = 0; index < characters.Length;)
        {
            if (IsPlain(characters, index))
            {
                transformed.Add((characters[index++], 0));
                continue;
            }

            int length = StringInfo.GetNextTextElementLength(characters[index..]);
            ReadOnlySpan<char> grapheme = characters.Slice(index, length);
            index += length;
            if (System.Text.Encoding.UTF8.GetByteCount(grapheme) < LongestGrapheme && TryFind(grapheme, out ReadOnlySpan<byte> whole))
            {
                Replace(transformed, CodePoints.Count(grapheme), whole);
                modified = true;
                continue;
            }

            for (int at = 0; at < grapheme.Length;)
            {
                int codePoint = CodePoints.At(grapheme, at, out int units);
                if (TryFind(grapheme.Slice(at, units), out ReadOnlySpan<byte> part))
                {
                    Replace(transformed, 1, part);
                    modified = true;
                }
                else
                {
                    transformed.Add((codePoint, 0));
                }

                at += units;
            }
        }

        if (!modified) return text;
        var builder = new AlignedTextBuilder(text);
        foreach ((int codePoint, int change) in transformed) builder.Transform(codePoint, change);
        return builder.Build();
    }

    // Whether an ASCII character stays as it is and nothing joins it.
    private bool IsPlain(ReadOnlySpan<char> text, int index) =>
        _plain.Contains(text[index]) && (index + 1 == text.Length || text[index + 1] < 0x80);

    // Of the new code points as many as were replaced take their places; further ones are added, missing ones swallow what is left.
    private static void Replace(List<(int CodePoint, int Change)> transformed, int oldCount, ReadOnlySpan<byte> text)
    {
        int newCount = 0;
        for (; text.Length > 0; newCount++)
        {
            Rune.DecodeFromUtf8(text, out Rune rune, out int length);
            transformed.Add((rune.Value, 0));
            text = text[length..];
        }

        for (int added = 0; added < newCount - oldCount; added++)
            transformed[transformed.Count - 1 - added] = (transformed[transformed.Count - 1 - added].CodePoint, 1);
        if (newCount < oldCount && transformed.Count > 0)
            transformed[^1] = (transformed[^1].CodePoint, transformed[^1].Change + newCount - oldCount);
    }

    private bool TryFind(ReadOnlySpan<char> text, out ReadOnlySpan<byte> found)
    {
        Span<byte> bytes = stackalloc byte[8];
        int count = System.Text.Encoding.UTF8.GetBytes(text, bytes);
        found = default;
        if (_trie.Length == 0) return false;
        uint node = Offset(_trie[0]);
        for (int index = 0; index < count && bytes[index] != 0; index++)
        {
            node ^= bytes[index];
            if (node >= _trie.Length || (_trie[node] & 0x800000FF) != bytes[index]) return false;
            uint unit = _trie[node];
            node ^= Offset(unit);
            if ((unit & 0x100) == 0) continue;
            if (node >= _trie.Length) return false;
            int place = (int)(_trie[node] & 0x7FFFFFFF);
            if (place >= _texts.Length) return false;
            found = _texts.AsSpan(place);
            int length = found.IndexOf((byte)0);
            if (length >= 0) found = found[..length];
            return true;
        }

        return false;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
