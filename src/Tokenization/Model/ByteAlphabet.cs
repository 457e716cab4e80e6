namespace MLComponents.Tokenization;

/// <summary>
/// The alphabet of byte-level vocabularies: every byte is written as a visible character, so that tokens are text. Printable bytes of
/// Latin-1 stand for themselves, the others for U+0100, U+0101, ... in order (a space is U+0120).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = CreateCharacters();
    private static readonly short[] Bytes = CreateBytes();

    /// <summary>The character that a byte is written as.</summary>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The byte that a character stands for, or -1.</summary>
    public static int ToByte(char character) => character < Bytes.Length ? Bytes[character] : -1;

    private static char[] CreateCharacters()
    {
        var characters = new char[256];
        int invisible = 0;
        for (int value = 0; value < 256; value++)
            characters[value] = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)value : (char)(0x100 + invisible++);
        return characters;
    }

    private static short[] CreateBytes()
    {
        var bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++) bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
