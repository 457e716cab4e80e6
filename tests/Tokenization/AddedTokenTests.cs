using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

public sealed class AddedTokenTests
{
    [Fact]
    public void The_leftmost_and_then_the_longest_token_wins()
    {
        PretrainedTokenizer tokenizer = With(Token("<a>"), Token("<a><b>"), Token("a><b>!"));
        Assert.Equal(["<a><b>", "!"], tokenizer.Encode("<a><b>!").Tokens);
    }

    [Fact]
    public void Stripping_tokens_swallow_white_space_with_their_offsets()
    {
        PretrainedTokenizer tokenizer = With(Token("<l>", left: true), Token("<r>", right: true));
        Encoding encoding = tokenizer.Encode("x \n<l><r>\t y");
        Assert.Equal(["x", " \n<l>", "<r>\t ", "y"], encoding.Tokens);
        Assert.Equal([0..1, 1..6, 6..11, 11..12], encoding.Offsets);
    }

    [Theory]
    [InlineData("<w>", true)]
    [InlineData("a<w>", false)]
    [InlineData("<w>1", false)]
    [InlineData("<w>_", false)]
    [InlineData("\u00E9<w>", false)]
    [InlineData(" <w>.", true)]
    [InlineData("\U00020000<w>", false)]
    public void Single_words_do_not_touch_letters_digits_or_underscores(string text, bool expected)
    {
        PretrainedTokenizer tokenizer = With(Token("<w>", single: true));
        Assert.Equal(expected, tokenizer.Encode(text).Tokens.Contains("<w>"));
    }

    [Fact]
    public void Normalized_tokens_are_looked_for_in_the_normalized_text()
    {
        PretrainedTokenizer tokenizer = With(Token("caf\u00E9", normalized: true), Token("th\u00E9", normalized: false));
        Encoding encoding = tokenizer.Encode("cafe\u0301");
        Assert.Equal(["caf\u00E9"], encoding.Tokens);
        Assert.Equal([0..4], encoding.Offsets);
        Assert.DoesNotContain("th\u00E9", tokenizer.Encode("the\u0301").Tokens);
    }

    [Fact]
    public void Special_tokens_in_the_text_are_not_masked_but_can_be_skipped()
    {
        PretrainedTokenizer tokenizer = Samples.Load("llama3-like-merges");
        Encoding encoding = tokenizer.Encode("a<|eot_id|>");
        Assert.Equal([true, false, false], encoding.SpecialTokensMask);
        Assert.Equal([null, 0, 1], encoding.WordIds);
        Assert.Equal("a", tokenizer.Decode(encoding.Ids.ToArray(), skipSpecialTokens: true));
        Assert.Equal("<|begin_of_text|>a<|eot_id|>", tokenizer.Decode(encoding.Ids.ToArray(), skipSpecialTokens: false));
    }

    private static JsonObject Token(string content, bool left = false, bool right = false, bool single = false, bool normalized = false) => new()
    {
        ["content"] = content, ["lstrip"] = left, ["rstrip"] = right, ["single_word"] = single, ["normalized"] = normalized, ["special"] = false,
    };

    private static PretrainedTokenizer With(params JsonObject[] tokens) => Samples.LoadChanged(json =>
    {
        for (int index = 0; index < tokens.Length; index++) tokens[index]["id"] = 2000 + index;
        json["added_tokens"] = new JsonArray([.. tokens]);
    });
}
