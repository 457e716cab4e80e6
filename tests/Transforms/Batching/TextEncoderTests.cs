using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TextEncoderTests
{
    [Fact]
    public void Texts_that_fit_are_whole_and_longer_ones_are_cut_and_counted()
    {
        var encoder = new TextEncoder(TinyModel.Tokenizer(), 4);
        Assert.Equal((false, 4), (encoder.Encode("abcd").Truncated, encoder.Encode("abcd").Ids.Length));
        EncodedText cut = encoder.Encode("abcdef");
        Assert.True(cut.Truncated);
        Assert.Equal("abcd".Select(c => (int)c), cut.Ids);
        Assert.Equal((3L, 1L), (encoder.Texts, encoder.Truncated));
    }

    [Theory]
    [InlineData(TruncationSide.End, "abc")]
    [InlineData(TruncationSide.Start, "def")]
    [InlineData(TruncationSide.Middle, "abf")]
    public void The_tokens_around_every_text_survive_the_cut(TruncationSide side, string kept)
    {
        EncodedText cut = new TextEncoder(TinyModel.Tokenizer(wrapped: true), 5, side).Encode("abcdef");
        Assert.Equal([256, .. kept.Select(c => (int)c), 256], cut.Ids);
    }

    [Fact]
    public void An_empty_text_is_the_token_that_ends_texts() =>
        Assert.Equal([256], new TextEncoder(TinyModel.Tokenizer(), 4).Encode("").Ids);
}
