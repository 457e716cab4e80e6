using System.Text;

namespace MLComponents.Tokenization;

/// <summary><c>Lowercase</c>: the lower case of every code point by itself (no final-sigma rule), independent of culture.</summary>
internal sealed class LowercaseNormalizer : TextNormalizer
{
    private const int CapitalIWithDot = 0x130;
    private const int CombiningDotAbove = 0x307;

    /// <inheritdoc/>
    public override AlignedText Normalize(AlignedText text)
    {
        if (!Changes(text.Characters)) return text;
        var builder = new AlignedTextBuilder(text);
        for (int index = 0; index < text.Length;)
        {
            int codePoint = CodePoints.At(text.Characters, index, out int length);
            builder.Transform(Lower(codePoint), 0);
            if (codePoint == CapitalIWithDot) builder.Transform(CombiningDotAbove, 1);
            index += length;
        }

        return builder.Build();
    }

    private static bool Changes(ReadOnlySpan<char> text)
    {
        for (int index = 0; index < text.Length;)
        {
            int codePoint = CodePoints.At(text, index, out int length);
            if (Lower(codePoint) != codePoint) return true;
            index += length;
        }

        return false;
    }

    // The one letter whose lower case has two code points; the invariant culture would leave it alone.
    private static int Lower(int codePoint) => codePoint == CapitalIWithDot ? 'i' : Rune.ToLowerInvariant(new Rune(codePoint)).Value;
}
