using System.Globalization;
using System.Text;

namespace MLComponents.Tokenization;

/// <summary>
/// <c>ByteFallback</c>: a run of byte tokens such as &lt;0xE2&gt; becomes the text of its bytes; if the run is not valid UTF-8, every
/// byte becomes U+FFFD, valid characters before the fault too.
/// </summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <inheritdoc/>
    public override bool IsLocal => true;

    /// <summary>The byte that a token stands for, or -1.</summary>
    public static int ByteOf(string token)
    {
        if (token.Length != 6 || !token.StartsWith("<0x", StringComparison.Ordinal) || token[5] != '>') return -1;
        ReadOnlySpan<char> digits = token.AsSpan(3, 2);
        if (digits[0] == '+') digits = digits[1..]; // which the reference's parser accepts
        return byte.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) ? value : -1;
    }

    /// <inheritdoc/>
    public override void Rewrite(List<string> tokens)
    {
        var bytes = new List<byte>();
        int written = 0;
        for (int index = 0; index < tokens.Count; index++)
        {
            int value = ByteOf(tokens[index]);
            if (value >= 0)
            {
                bytes.Add((byte)value);
                continue;
            }

            string token = tokens[index];
            Flush(bytes, tokens, ref written);
            tokens[written++] = token;
        }

        Flush(bytes, tokens, ref written);
        tokens.RemoveRange(written, tokens.Count - written);
    }

    // A run of n bytes becomes at most n tokens, so that what is written never overtakes what is read.
    private static void Flush(List<byte> bytes, List<string> tokens, ref int written)
    {
        if (bytes.Count == 0) return;
        try
        {
            tokens[written] = Strict.GetString([.. bytes]);
            written++;
        }
        catch (DecoderFallbackException)
        {
            for (int count = 0; count < bytes.Count; count++) tokens[written++] = "\uFFFD";
        }

        bytes.Clear();
    }
}
