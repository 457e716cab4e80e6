using MLComponents.Tokenization;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

/// <summary>Pairs of texts as token ids: what the tokenizer's own encoding of pairs gives, which is compared with the reference's.</summary>
public class TextPairEncodingTests
{
    private const string Premise = "The river rose, and nobody crossed it that day.", Hypothesis = "No one went across <s> the water \U0001F30A in the evening, I am told; but who knows?";

    public static IEnumerable<TheoryDataRow<string>> Tokenizers() => Directory.EnumerateDirectories(Path.Combine(TestPaths.Fixtures, "tokenizers", "trained"))
        .Order(StringComparer.Ordinal).Select(folder => new TheoryDataRow<string>(Path.GetFileName(folder)));

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Pairs_have_the_ids_of_the_tokenizers_pair_encoding_whole_and_cut(string name)
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(Path.Combine(TestPaths.Fixtures, "tokenizers", "trained", name));
        foreach ((string text, string pair) in new[] { (Premise, Hypothesis), (Hypothesis, Premise), (Premise, ""), ("", Hypothesis), (Premise, " "), ("yes", Hypothesis) })
        {
            int whole = tokenizer.Encode((text, pair), options: null).Ids.Count;
            foreach (int length in new[] { 5, 8, 13, 24, whole - 1, whole, whole + 1 })
            {
                foreach ((TruncationSide side, SequenceSide reference) in new[] { (TruncationSide.End, SequenceSide.Right), (TruncationSide.Start, SequenceSide.Left) })
                {
                    Encoding expected = tokenizer.Encode((text, pair), new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = length, TruncationSide = reference });
                    EncodedText found = new TextEncoder(tokenizer, length, side).Encode(Pair(text, pair));
                    Assert.Equal(expected.Ids, found.Ids);
                    Assert.Equal(length < whole, found.Truncated);
                }
            }
        }
    }

    [Fact]
    public void A_template_with_special_tokens_separates_the_texts()
    {
        var encoder = new TextEncoder(TinyModel.Tokenizer(wrapped: true), 20);
        Assert.Equal([256, 'a', 'b', 256, 'c', 256], encoder.Encode(Pair("ab", "c")).Ids);
        Assert.Equal([256, 'a', 'b', 256, 256], encoder.Encode(Pair("ab", "")).Ids);
        Assert.True(encoder.SeparatesPairs);
    }

    [Fact]
    public void A_tokenizer_without_a_template_puts_the_texts_one_behind_the_other()
    {
        var encoder = new TextEncoder(TinyModel.Tokenizer(), 20);
        Assert.Equal(['a', 'b', 'c'], encoder.Encode(Pair("ab", "c")).Ids.Select(id => (char)id));
        Assert.Equal([256], encoder.Encode(Pair("", "")).Ids);
        Assert.False(encoder.SeparatesPairs);
    }

    [Theory]
    [InlineData(TruncationSide.End, 7, "abcdefgh", "xyz", "ab|xy")]
    [InlineData(TruncationSide.End, 9, "abcdefgh", "xy", "abcd|xy")]
    [InlineData(TruncationSide.End, 9, "ab", "stuvwxyz", "ab|stuv")]
    [InlineData(TruncationSide.Start, 9, "abcdefgh", "xy", "efgh|xy")]
    [InlineData(TruncationSide.Middle, 9, "abcdefgh", "xy", "abgh|xy")]
    [InlineData(TruncationSide.Middle, 9, "abcdef", "uvwxyz", "abf|uvz")]
    [InlineData(TruncationSide.End, 4, "abc", "xyz", "|x")]
    [InlineData(TruncationSide.End, 3, "abc", "xyz", "|")]
    public void The_longer_text_gives_way_first_and_special_tokens_stay(TruncationSide side, int maxLength, string text, string pair, string kept)
    {
        EncodedText cut = new TextEncoder(TinyModel.Tokenizer(wrapped: true), maxLength, side).Encode(Pair(text, pair));
        string[] parts = kept.Split('|');
        Assert.Equal([256, .. parts[0].Select(c => (int)c), 256, .. parts[1].Select(c => (int)c), 256], cut.Ids);
        Assert.True(cut.Truncated);
    }

    [Fact]
    public void Where_not_even_the_special_tokens_fit_they_are_cut_too() =>
        Assert.Equal([256, 256], new TextEncoder(TinyModel.Tokenizer(wrapped: true), 2).Encode(Pair("a", "b")).Ids);

    [Fact]
    public void Pairs_that_are_cut_are_counted()
    {
        var encoder = new TextEncoder(TinyModel.Tokenizer(), 4);
        encoder.Encode(Pair("ab", "cd"));
        encoder.Encode(Pair("ab", "cde"));
        encoder.Encode(new TextInput("abcd".AsMemory()));
        Assert.Equal((3L, 1L), (encoder.Texts, encoder.Truncated));
    }

    private static TextInput Pair(string text, string pair) => new(text.AsMemory(), pair.AsMemory());
}
