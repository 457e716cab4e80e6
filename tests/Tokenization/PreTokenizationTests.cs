using System.Text.Json.Nodes;

namespace MLComponents.Tokenization.Tests;

public sealed class PreTokenizationTests
{
    [Theory]
    [InlineData("Removed", false, "ab|cd|e")]
    [InlineData("Isolated", false, "ab|-|cd|-|-|e|-")]
    [InlineData("MergedWithPrevious", false, "ab-|cd-|-|e-")]
    [InlineData("MergedWithNext", false, "ab|-cd|-|-e|-")]
    [InlineData("Contiguous", false, "ab|-|cd|--|e|-")]
    [InlineData("Removed", true, "-|-|-|-")]
    [InlineData("Isolated", true, "ab|-|cd|-|-|e|-")]
    [InlineData("MergedWithPrevious", true, "ab|-cd|-|-e|-")]
    [InlineData("MergedWithNext", true, "ab-|cd-|-|e-")]
    public void Split_does_with_matches_what_its_behavior_says(string behavior, bool invert, string expected)
    {
        var step = new SplitStep(new LiteralPattern("-"), Enum.Parse<SplitBehavior>(behavior), invert);
        Assert.Equal(expected, Split(step, "ab-cd--e-"));
    }

    [Theory]
    [InlineData(true, "a|1|2|b|\u00BD|\u0661|\U0001D7D8|c")]
    [InlineData(false, "a|12|b|\u00BD\u0661\U0001D7D8|c")]
    public void Digits_are_numbers_of_any_kind(bool individual, string expected)
    {
        var step = new SplitStep(new CharacterPattern(CodePointSet.Numeric), individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous, invert: false);
        Assert.Equal(expected, Split(step, "a12b\u00BD\u0661\U0001D7D8c"));
    }

    [Fact]
    public void Empty_matches_give_no_pieces()
    {
        var step = new SplitStep(new CodePointRegex("x*"), SplitBehavior.Isolated, invert: false);
        Assert.Equal("a|\U0001F642|xx|b", Split(step, "a\U0001F642xxb"));
    }

    [Fact]
    public void A_pattern_of_its_own_is_matched_on_code_points()
    {
        PretrainedTokenizer tokenizer = Samples.LoadChanged(json =>
            json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"] = new JsonObject { ["Regex"] = @"\p{L}+|[^\p{L}]" });
        Assert.Equal([0, 1, 2], tokenizer.Encode("1\U000200002").WordIds.Distinct().Select(word => word!.Value));
    }

    [Fact]
    public void The_prefix_space_shares_the_range_of_the_first_character()
    {
        Encoding encoding = Samples.Load("gpt2-prefix").Encode("the");
        Assert.Equal(["\u0120the"], encoding.Tokens);
        Assert.Equal([0..3], encoding.Offsets);
    }

    private static string Split(PreTokenizerStep step, string text)
    {
        var pieces = new PieceList();
        pieces.Add(0, text.Length);
        var work = new PreTokenizedText(new AlignedText(text, 0), pieces, new PieceList());
        step.Apply(ref work);
        PieceList result = work.Pieces;
        return string.Join('|', Enumerable.Range(0, result.Count).Select(piece => text[result.Start(piece)..result.End(piece)]));
    }
}
