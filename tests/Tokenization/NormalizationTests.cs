namespace MLComponents.Tokenization.Tests;

public sealed class NormalizationTests
{
    [Fact]
    public void Every_character_of_Unicode_14_composes_as_dotnet_says()
    {
        var nfc = UnicodeNormalizer.Get(composes: true, compatible: false);
        var wrong = new List<string>();
        for (int codePoint = 0; codePoint < 0x30000; codePoint++)
        {
            if (codePoint is (>= 0xD800 and < 0xE000) or (>= 0xFDD0 and <= 0xFDEF) || (codePoint & 0xFFFE) == 0xFFFE) continue; // .NET refuses them
            string character = char.ConvertFromUtf32(codePoint);
            string decomposed = character.Normalize(System.Text.NormalizationForm.FormD);

            // Compositions that Unicode got after version 14 are not in the table, as they are not in the reference's.
            if (IsYounger(codePoint)) continue;
            if (nfc.Normalize(character) != character.Normalize() || nfc.Normalize(decomposed) != decomposed.Normalize()) wrong.Add($"U+{codePoint:X4}");
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Random_texts_compose_as_dotnet_says()
    {
        var nfc = UnicodeNormalizer.Get(composes: true, compatible: false);
        var random = new Random(8);
        for (int trial = 0; trial < 5000; trial++)
        {
            string text = Samples.RandomText(random, random.Next(12), loneSurrogates: false);
            Assert.Equal(text.Normalize(), nfc.Normalize(text));
        }
    }

    [Theory]
    [InlineData("e\u0301x", new[] { 0, 2 }, new[] { 1, 3 })] // the accent belongs to no token
    [InlineData("\u0958", new[] { 0, 0 }, new[] { 1, 1 })] // expands to two that share its range
    [InlineData("a\u0301\u0323", new[] { 0, 2 }, new[] { 1, 3 })] // reordered: ranges go by what was read, whatever it was
    [InlineData("\U0001D15E!", new[] { 0, 0, 0, 0, 2 }, new[] { 2, 2, 2, 2, 3 })] // a surrogate pair that becomes two
    public void Composed_characters_have_the_range_of_their_base(string text, int[] starts, int[] ends)
    {
        AlignedText normalized = UnicodeNormalizer.Get(composes: true, compatible: false).Normalize(new AlignedText(text, 0));
        Assert.Equal(starts.Length, normalized.Length);
        for (int index = 0; index < starts.Length; index++)
            Assert.Equal((starts[index], ends[index]), (normalized.OriginalStart(index), normalized.OriginalEnd(index)));
    }

    [Theory]
    [InlineData("ABC \u00C9\u03A3", "abc \u00E9\u03C3")]
    [InlineData("\u0130x", "i\u0307x")]
    [InlineData("\u1E9E\u212A", "\u00DFk")]
    [InlineData("\U00010400", "\U00010428")]
    public void Lowercase_works_by_code_point(string text, string expected) => Assert.Equal(expected, new LowercaseNormalizer().Normalize(text));

    private static bool IsYounger(int codePoint) => codePoint is (>= 0x105C0 and <= 0x105FF) or (>= 0x11380 and <= 0x113FF)
        or (>= 0x16100 and <= 0x1613F) or (>= 0x16D40 and <= 0x16D7F);
}
