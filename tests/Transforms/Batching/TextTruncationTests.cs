using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TextTruncationTests
{
    [Theory]
    [InlineData(TruncationSide.End, 4, new[] { 1, 2, 3, 4 })]
    [InlineData(TruncationSide.Start, 4, new[] { 5, 6, 7, 8 })]
    [InlineData(TruncationSide.Middle, 4, new[] { 1, 2, 7, 8 })]
    [InlineData(TruncationSide.Middle, 5, new[] { 1, 2, 3, 7, 8 })]
    [InlineData(TruncationSide.Middle, 1, new[] { 1 })]
    public void The_side_says_what_is_cut(TruncationSide side, int maxLength, int[] expected) =>
        Assert.Equal(expected, TextTruncation.Cut([1, 2, 3, 4, 5, 6, 7, 8], 0, 0, maxLength, side));

    [Theory]
    [InlineData(TruncationSide.End, 5, new[] { 90, 1, 2, 91, 92 })]
    [InlineData(TruncationSide.Start, 5, new[] { 90, 3, 4, 91, 92 })]
    [InlineData(TruncationSide.Middle, 5, new[] { 90, 1, 4, 91, 92 })]
    [InlineData(TruncationSide.End, 3, new[] { 90, 1, 2 })]
    public void Special_tokens_around_the_text_stay_where_they_fit(TruncationSide side, int maxLength, int[] expected) =>
        Assert.Equal(expected, TextTruncation.Cut([90, 1, 2, 3, 4, 91, 92], 1, 2, maxLength, side));
}
