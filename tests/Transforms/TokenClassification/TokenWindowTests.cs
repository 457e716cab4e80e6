using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TokenWindowTests
{
    [Theory]
    [InlineData(1, 1, 10, 20, 4)]
    [InlineData(1, 1, 30, 8, 0)]
    [InlineData(0, 0, 30, 8, 3)]
    [InlineData(3, 1, 29, 8, 3)]
    [InlineData(0, 2, 31, 7, 100)] // as much overlap as there is room for
    [InlineData(0, 0, 5, 5, 2)]
    [InlineData(0, 0, 6, 5, 2)]
    [InlineData(2, 2, 5, 5, 0)]
    public void Windows_hold_every_token_overlap_as_asked_and_keep_what_stands_around(int before, int after, int count, int maxLength, int stride)
    {
        int[] ids = [.. Enumerable.Range(0, before + count + after)];
        TokenWindow[] windows = TokenWindow.Cut(ids, before, count, maxLength, stride);
        int expected = 0;
        foreach (TokenWindow window in windows)
        {
            Assert.InRange(window.Ids.Length, 1, maxLength);
            Assert.Equal(ids[..before], window.Ids[..before]);
            Assert.Equal(ids[(before + count)..], window.Ids[^after..]);
            Assert.Equal(ids.AsSpan(before + window.First, window.Count), window.Ids.AsSpan(window.Start, window.Count));
            Assert.Equal(expected - window.Overlap, window.First);
            Assert.True(window.First + window.Count > expected, "a window adds something");
            expected = window.First + window.Count;
        }

        Assert.Equal(count, expected);
        Assert.All(windows.Skip(1), window => Assert.Equal(Math.Min(stride, maxLength - before - after - 1), window.Overlap));
    }

    [Fact]
    public void A_length_that_fits_no_token_is_refused() =>
        Assert.Contains("4 tokens stay", Assert.Throws<ArgumentOutOfRangeException>(() => TokenWindow.Cut([1, 2, 3, 4, 5, 6], 2, 2, 4, 0)).Message);
}
