namespace MLComponents.Tokenization.Tests;

public sealed class RoundTripTests
{
    [Theory]
    [InlineData("phi-like")]
    [InlineData("llama3-like-merges")]
    [InlineData("llama3-like-ignore-merges")]
    [InlineData("smollm-like")]
    public void Any_string_decodes_to_itself_with_lone_surrogates_replaced(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        var random = new Random(1);
        for (int trial = 0; trial < 500; trial++)
        {
            string text = Samples.RandomText(random, random.Next(60), loneSurrogates: trial % 2 == 1);
            Assert.Equal(Samples.WellFormed(text), tokenizer.Decode(tokenizer.EncodeIds(text, addSpecialTokens: false), skipSpecialTokens: false));
        }
    }

    [Fact]
    public void With_NFC_any_string_decodes_to_its_composed_form()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        var random = new Random(2);
        for (int trial = 0; trial < 500; trial++)
        {
            string text = Samples.RandomText(random, random.Next(60), loneSurrogates: trial % 2 == 1);
            Assert.Equal(Samples.WellFormed(text).Normalize(), tokenizer.Decode(tokenizer.EncodeIds(text), skipSpecialTokens: false));
        }
    }

    [Theory]
    [InlineData("qwen2-like")]
    [InlineData("neox-like")]
    [InlineData("gpt2-prefix")]
    [InlineData("mixed-added")]
    [InlineData("smollm-like")]
    public void Offsets_lie_in_the_text_in_order_and_never_cut_a_surrogate_pair(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        var random = new Random(3);
        for (int trial = 0; trial < 300; trial++)
        {
            string text = Samples.RandomText(random, random.Next(40), loneSurrogates: true);
            Encoding encoding = tokenizer.Encode(text, addSpecialTokens: false);
            Assert.Equal(tokenizer.EncodeIds(text, addSpecialTokens: false), encoding.Ids);
            int previous = 0;
            foreach (Range offset in encoding.Offsets)
            {
                Assert.InRange(offset.Start.Value, 0, offset.End.Value);
                Assert.InRange(offset.End.Value, 0, text.Length);
                Assert.True(offset.Start.Value >= previous);
                previous = offset.Start.Value;
                Assert.False(IsInsidePair(text, offset.Start.Value) || IsInsidePair(text, offset.End.Value));
            }
        }
    }

    [Fact]
    public void A_lone_surrogate_is_one_code_point_with_an_exact_offset()
    {
        Encoding encoding = Samples.Load("qwen2-like").Encode("a\uD83D b");
        Encoding replaced = Samples.Load("qwen2-like").Encode("a\uFFFD b");
        Assert.Equal(replaced.Ids, encoding.Ids);
        Assert.Equal(replaced.Offsets, encoding.Offsets);
        Assert.Equal(replaced.GetCodePointOffsets(), encoding.GetCodePointOffsets());
    }

    [Fact]
    public void Offsets_are_UTF_16_ranges_and_code_points_on_request()
    {
        Encoding encoding = Samples.Load("qwen2-like").Encode("\U0001F642<|im_end|>x");
        int marker = encoding.Tokens.ToList().IndexOf("<|im_end|>");
        Assert.Equal(2..12, encoding.Offsets[marker]);
        Assert.Equal((1, 11), encoding.GetCodePointOffsets()[marker]);
        Assert.All(encoding.Offsets.Take(marker), offset => Assert.Equal(0..2, offset));
    }

    [Fact]
    public void Long_words_without_blanks_are_encoded_like_short_ones_are_merged()
    {
        // The scan for short words and the heap for long ones must agree.
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        var merges = new MergeTable(4);
        merges.Set(1, 2, 1, 3);
        merges.Set(1, 1, 0, 2);
        merges.Set(2, 1, 2, 4);
        var random = new Random(4);
        for (int trial = 0; trial < 500; trial++)
        {
            int[] symbols = [.. Enumerable.Range(0, random.Next(1, PairMerger.ShortWord)).Select(_ => random.Next(1, 4))];
            int[] shorter = [.. symbols], longer = [.. symbols];
            int count = PairMerger.MergeShort(merges, shorter);
            Assert.Equal(shorter[..count], longer[..PairMerger.MergeLong(merges, longer)]);
        }

        string word = string.Concat(Enumerable.Repeat("thequickbrownfox", 4000));
        Assert.Equal(word, tokenizer.Decode(tokenizer.EncodeIds(word), skipSpecialTokens: false));
    }

    private static bool IsInsidePair(string text, int index) =>
        index > 0 && index < text.Length && char.IsHighSurrogate(text[index - 1]) && char.IsLowSurrogate(text[index]);
}
