using Microsoft.ML;

namespace MLComponents.Trainers.Tests;

public class EncodedRowsTests
{
    private readonly LabeledTexts _texts = new(Tickets.View(new MLContext(seed: 1), 50), "Text", null, "Label", binary: false);

    private EncodedRows<ClassifiedText> Encoded(CountingScorer scorer, int mostKept) => new(SequenceClassificationTask.Encode(_texts, scorer), mostKept);

    private static void Alive()
    {
    }

    [Fact]
    public void Few_rows_are_encoded_once()
    {
        var scorer = new CountingScorer(3);
        EncodedRows<ClassifiedText> rows = Encoded(scorer, mostKept: 50);
        ClassifiedText[] first = [.. rows.Read(Alive)], second = [.. rows.Read(Alive)];
        Assert.Equal(50, scorer.Encoded);
        Assert.Equal(first, second);
        Assert.Equal(_texts.ReadLabels(), first.Select(row => row.Label));
        Assert.Equal(Tickets.Rows(50).Select(row => row.Text), first.Select(row => string.Concat(row.Ids.Select(id => (char)id))));
    }

    [Fact]
    public void Many_rows_are_read_and_encoded_again_in_every_pass()
    {
        var scorer = new CountingScorer(3);
        EncodedRows<ClassifiedText> rows = Encoded(scorer, mostKept: 49);
        Assert.Equal(50, rows.Read(Alive).Count());
        Assert.Equal(50, rows.Read(Alive).Count());
        Assert.Equal(100, scorer.Encoded);
    }

    [Fact]
    public void A_pass_that_was_left_early_is_not_kept()
    {
        EncodedRows<ClassifiedText> rows = Encoded(new CountingScorer(3), mostKept: 100);
        Assert.Equal(5, rows.Read(Alive).Take(5).Count());
        Assert.Equal(50, rows.Read(Alive).Count());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    public void Cut_texts_are_counted_once_per_text(int mostKept)
    {
        EncodedRows<ClassifiedText> rows = Encoded(new CountingScorer(3, maxLength: 30), mostKept: mostKept);
        int expected = Tickets.Rows(50).Count(row => row.Text.Length > 30);
        for (int pass = 0; pass < 2; pass++)
        {
            Assert.All(rows.Read(Alive), row => Assert.InRange(row.Ids.Length, 1, 30));
            Assert.Equal(expected, rows.Truncated);
        }
    }

    [Fact]
    public void Reading_stops_when_cancelled()
    {
        using var source = new CancellationTokenSource();
        using IEnumerator<ClassifiedText> rows = Encoded(new CountingScorer(3), mostKept: 100).Read(source.Token.ThrowIfCancellationRequested).GetEnumerator();
        Assert.True(rows.MoveNext());
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => rows.MoveNext());
    }
}
