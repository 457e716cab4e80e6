using System.Buffers;

namespace MLComponents.Tokenization;

/// <summary>
/// <c>ByteLevel</c>: tokens are written in the byte alphabet; one that holds any other character stands for its own UTF-8 bytes. What is
/// not valid UTF-8 becomes U+FFFD.
/// </summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <inheritdoc/>
    public override bool RestartsAnywhere => true;

    /// <inheritdoc/>
    public override byte[] BytesOf(string token)
    {
        var bytes = new ArrayBufferWriter<byte>(16);
        Write(token, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        var bytes = new ArrayBufferWriter<byte>(16 + (tokens.Count * 8));
        foreach (string token in tokens) Write(token, bytes);
        tokens.Clear();
        tokens.Add(System.Text.Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    private static void Write(string token, ArrayBufferWriter<byte> bytes)
    {
        if (token.Length == 0) return;
        Span<byte> target = bytes.GetSpan(token.Length);
        for (int index = 0; index < token.Length; index++)
        {
            int value = ByteAlphabet.ToByte(token[index]);
            if (value < 0)
            {
                bytes.Write(System.Text.Encoding.UTF8.GetBytes(token));
                return;
            }

            target[index] = (byte)value;
        }

        bytes.Advance(token.Length);
    }
}
