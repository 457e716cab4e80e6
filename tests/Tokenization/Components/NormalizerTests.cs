namespace MLComponents.Tokenization.Tests;

public sealed class NormalizerTests
{
    [Theory]
    [InlineData("""{"type":"NFD"}""", "\u00E9x", "e\u0301x[0,2]")]
    [InlineData("""{"type":"NFKC"}""", "\uFB01\u2460\u00BD", "fi11\u20442[0,3]")]
    [InlineData("""{"type":"NFKD"}""", "\uFF21\u00E5", "Aa\u030A[0,2]")]
    [InlineData("""{"type":"Lowercase"}""", "H\u00C9", "h\u00E9[0,2]")]
    [InlineData("""{"type":"StripAccents"}""", "e\u0301a\u0903", "ea[0,3]")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":true}""", " \u00E9 x\u3000\n", "\u00E9 x[1,4]")]
    [InlineData("""{"type":"Strip","strip_left":false,"strip_right":true}""", " x ", " x[0,2]")]
    [InlineData("""{"type":"Prepend","prepend":"\u2581"}""", "ab", "\u2581ab[0,2]")]
    [InlineData("""{"type":"Replace","pattern":{"String":"''"},"content":"\""}""", "a''b", "a\"b[0,4]")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "}""", "a  \n b", "a b[0,6]")]
    [InlineData("""{"type":"Replace","pattern":{"String":""},"content":"x"}""", "ab", "ab[0,2]")]
    [InlineData("""{"type":"Replace","pattern":{"String":"b"},"content":""}""", "abc", "ac[0,3]")]
    [InlineData("""{"type":"Nmt"}""", "a\u0001b\u200Bc", "ab c[0,5]")]
    [InlineData("""{"type":"BertNormalizer"}""", "\tH\u00C9\uFFFDy\u91CE", " hey \u91CE [0,6]")]
    [InlineData("""{"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true}""", "H\u00C9\u91CE", "h\u00E9\u91CE[0,3]")]
    [InlineData("""{"type":"BertNormalizer","lowercase":false}""", "H\u00C9", "H\u00C9[0,2]")]
    [InlineData("""{"type":"BertNormalizer","lowercase":false,"strip_accents":true}""", "H\u00C9", "HE[0,2]")]
    [InlineData("""{"type":"ByteLevel"}""", "\u00E9 ", "\u00C3\u00A9\u0120[0,2]")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"Strip"},{"type":"NFC"},{"type":"Prepend","prepend":"_"}]}""", "  ", "")]
    [InlineData("""{"type":"Precompiled","precompiled_charsmap":""}""", "ab", "ab[0,2]")]
    public void A_normalizer_rewrites_and_offsets_stay_those_of_the_text(string normalizer, string text, string expected) =>
        Assert.Equal(expected, ComponentKit.Pieces(text, normalizer));

    [Fact]
    public void A_replaced_run_belongs_to_its_last_character_and_a_prefix_to_the_first()
    {
        AlignedText replaced = new ReplaceNormalizer(new LiteralPattern("aa"), "xy").Normalize(new AlignedText("_aab", 0));
        Assert.Equal("_xyb", replaced.Characters.ToString());
        Assert.Equal([(0, 1), (2, 3), (2, 3), (3, 4)], [replaced.Original(0, 1), replaced.Original(1, 2), replaced.Original(2, 3), replaced.Original(3, 4)]);
        AlignedText prefixed = new PrependNormalizer("\u2581").Normalize(new AlignedText("\U0001F642b", 0));
        Assert.Equal((0, 2), prefixed.Original(0, 1));
        Assert.Equal((2, 3), prefixed.Original(3, 4));
    }

    [Theory]
    [InlineData(System.Text.NormalizationForm.FormC, true, false)]
    [InlineData(System.Text.NormalizationForm.FormD, false, false)]
    [InlineData(System.Text.NormalizationForm.FormKC, true, true)]
    [InlineData(System.Text.NormalizationForm.FormKD, false, true)]
    public void Random_texts_are_normalized_as_dotnet_says(System.Text.NormalizationForm form, bool composes, bool compatible)
    {
        UnicodeNormalizer normalizer = UnicodeNormalizer.Get(composes, compatible);
        var random = new Random(11);
        for (int trial = 0; trial < 3000; trial++)
        {
            string text = Samples.RandomText(random, random.Next(12), loneSurrogates: false);
            Assert.Equal(text.Normalize(form), normalizer.Normalize(text));
        }

        for (int codePoint = 0x80; codePoint < 0x3200; codePoint++)
        {
            string text = "a" + (char)codePoint + "\u0323\u0301";
            if (System.Globalization.CharUnicodeInfo.GetUnicodeCategory(codePoint) == System.Globalization.UnicodeCategory.OtherNotAssigned) continue;
            if (codePoint is (>= 0x1ACF and <= 0x1AFF) or 0x0897 or 0x1C89 or 0x1C8A) continue; // younger than the tables
            Assert.Equal(text.Normalize(form), normalizer.Normalize(text));
        }
    }

    [Theory]
    [InlineData("AA==", "header")]
    [InlineData("BQAAAAA=", "claims 5")]
    [InlineData("/////w==", "claims")]
    [InlineData("?", "base64")]
    public void A_broken_replacement_table_is_a_format_error(string map, string named) => Assert.Contains(
        named,
        Assert.Throws<FormatException>(() => ComponentKit.Load($$"""{"type":"Precompiled","precompiled_charsmap":"{{map}}"}""")).Message);
}
