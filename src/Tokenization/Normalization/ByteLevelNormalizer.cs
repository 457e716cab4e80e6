using System.Text;

namespace MLComponents.Tokenization;

/// <summary><c>ByteLevel</c> as a normalizer: writes the text in the byte alphabet.</summary>
internal sealed class ByteLevelNormalizer : TextNormalizer
{
    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        var builder = new AlignedTextBuilder(text);
        WriteBytes(text.Characters, 0, text.Length, ref builder);
        return builder.Build();
    }

    /// <summary>Writes a part of the source in the byte alphabet; all letters of a character have its range.</summary>
    public static void WriteBytes(ReadOnlySpan<char> characters, int start, int end, ref AlignedTextBuilder builder)
    {
        Span<byte> bytes = stackalloc byte[4];
        for (int index = start; index < end;)
        {
            int count = new Rune(CodePoints.At(characters, index, out int length)).EncodeToUtf8(bytes);
            for (int place = 0; place < count; place++) builder.Transform(ByteAlphabet.ToCharacter(bytes[place]), place == 0 ? 0 : 1);
            index += length;
        }
    }
}
