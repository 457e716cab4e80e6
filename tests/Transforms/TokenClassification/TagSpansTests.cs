using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TagSpansTests
{
    [Theory]
    [InlineData("O O O B-MISC I-MISC I-MISC O", "MISC:3+3")]
    [InlineData("B-PER I-PER O B-LOC", "PER:0+2 LOC:3+1")]
    [InlineData("B-PER B-PER I-PER", "PER:0+1 PER:1+2")]
    [InlineData("I-PER I-PER B-PER I-LOC", "PER:0+2 PER:2+1 LOC:3+1")] // IOB1, and a type that changes
    [InlineData("I-PER O I-PER", "PER:0+1 PER:2+1")]
    [InlineData("S-PER B-LOC I-LOC E-LOC S-LOC", "PER:0+1 LOC:1+3 LOC:4+1")] // IOBES
    [InlineData("E-PER E-PER I-PER", "PER:0+1 PER:1+1 PER:2+1")]
    [InlineData("U-PER B-LOC L-LOC", "PER:0+1 LOC:1+2")] // BILOU
    [InlineData("B-two-words I-two-words", "two-words:0+2")]
    [InlineData("person person O place person", "person:0+2 place:3+1 person:4+1")] // no prefixes
    [InlineData("B-PER I-PER plain", "B-PER:0+1 I-PER:1+1 plain:2+1")] // one without: all are
    [InlineData("O O", "")]
    [InlineData("", "")]
    public void Entities_are_those_of_seqeval(string tags, string expected)
    {
        string[] row = tags.Split(' ', StringSplitOptions.RemoveEmptyEntries), names = [.. row.Distinct()];
        var spans = new TagSpans(names);
        Assert.Equal(expected, string.Join(' ', spans.Find(Array.ConvertAll(row, tag => Array.IndexOf(names, tag))).Select(span => $"{span.Type}:{span.Start}+{span.Length}")));
    }

    [Fact]
    public void A_tag_that_is_none_counts_as_outside() =>
        Assert.Equal([new TagSpan("A", 0, 1), new TagSpan("A", 2, 1)], new TagSpans(["B-A", "I-A"]).Find([0, -1, 1]));
}
