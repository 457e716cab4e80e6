using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class WordSplitterTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\n", "")]
    [InlineData("Hello world", "Hello|world")]
    [InlineData(" It's 3.5% of snake_case, é! ", "It|'|s|3|.|5|%|of|snake_case|,|é|!")]
    [InlineData("cafe\u0301 au lait", "cafe\u0301|au|lait")]
    [InlineData("東京タワーへgo", "東|京|タ|ワ|ー|へ|go")]
    [InlineData("a\U0001F469\u200D\U0001F680b", "a|\U0001F469\u200D|\U0001F680|b")]
    public void Words_are_runs_of_letters_and_everything_else_stands_alone(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', WordSplitter.Split(text).Select(word => text[word.Start..word.End])));

    [Fact]
    public void Every_character_that_is_not_white_space_is_in_exactly_one_word()
    {
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            string text = string.Concat(Enumerable.Range(0, 40).Select(_ => (char)(random.Next(4) == 0 ? ' ' : random.Next(0x20, 0xFFFF))));
            var covered = new int[text.Length];
            foreach ((int start, int end) in WordSplitter.Split(text))
            {
                Assert.True(end > start);
                for (int i = start; i < end; i++) covered[i]++;
            }

            for (int i = 0; i < text.Length; i++) Assert.Equal(char.IsWhiteSpace(text[i]) ? 0 : 1, covered[i]);
        }
    }
}
