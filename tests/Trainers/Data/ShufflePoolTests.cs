namespace MLComponents.Trainers.Tests;

public class ShufflePoolTests
{
    /// <summary>Rows of 1 to 64 tokens in no order of length; the label is the row's number.</summary>
    private static ClassifiedText[] Rows(int count) => [.. Enumerable.Range(0, count).Select(i => new ClassifiedText(new int[1 + (i * 37 % 64)], i))];

    private static ShufflePool<ClassifiedText> Pool(int capacity, int batchSize) => new(capacity, new BatchLimit(batchSize), row => row.Ids.Length);

    private static ShufflePool<ClassifiedText> Budget(int capacity, int tokens) => new(capacity, new BatchLimit(16, tokens), row => row.Ids.Length);

    private static int[][] Labels(IEnumerable<ClassifiedText[]> batches) => [.. batches.Select(batch => batch.Select(row => row.Label).ToArray())];

    [Theory]
    [InlineData(1000, 5000, 16)]
    [InlineData(1000, 1000, 16)]
    [InlineData(1000, 999, 16)]
    [InlineData(1000, 100, 16)]
    [InlineData(1000, 100, 64)]
    [InlineData(100, 7, 16)]
    [InlineData(100, 1, 1)]
    [InlineData(96, 40, 16)]
    [InlineData(3, 10, 16)]
    [InlineData(0, 10, 16)]
    public void Every_row_comes_once_and_only_the_last_batch_is_partial(int count, int capacity, int batchSize)
    {
        int[][] batches = Labels(Pool(capacity, batchSize).Batches(Rows(count), new Random(1)));
        Assert.Equal(Enumerable.Range(0, count), batches.SelectMany(batch => batch).Order());
        Assert.Equal((count + batchSize - 1) / batchSize, batches.Length);
        Assert.All(batches.SkipLast(1), batch => Assert.Equal(batchSize, batch.Length));
    }

    [Theory]
    [InlineData(200, 16)]
    [InlineData(64, 16)]
    [InlineData(16, 16)]
    [InlineData(1, 1)]
    public void The_pool_holds_no_more_rows_than_allowed(int capacity, int batchSize)
    {
        int read = 0, given = 0, most = 0;
        IEnumerable<ClassifiedText> Counted()
        {
            foreach (ClassifiedText row in Rows(1000))
            {
                most = Math.Max(most, ++read - given);
                yield return row;
            }
        }

        foreach (ClassifiedText[] batch in Pool(capacity, batchSize).Batches(Counted(), new Random(1))) given += batch.Length;
        Assert.InRange(most, 1, capacity + 1); // the row that shows that there are more is read, too
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(100)]
    public void The_seed_alone_decides(int capacity)
    {
        int[][] Shuffled(int seed) => Labels(Pool(capacity, 16).Batches(Rows(500), new Random(seed)));
        Assert.Equal(Shuffled(1), Shuffled(1));
        Assert.NotEqual(Shuffled(1), Shuffled(2));
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(1024)]
    public void Rows_of_like_length_are_batched_together(int capacity)
    {
        static double Padding(IEnumerable<ClassifiedText[]> batches)
        {
            ClassifiedText[][] all = [.. batches];
            double padded = all.Sum(batch => batch.Length * batch.Max(row => row.Ids.Length));
            return 1 - (all.Sum(batch => batch.Sum(row => row.Ids.Length)) / padded);
        }

        ClassifiedText[] rows = Rows(4000);
        ClassifiedText[] shuffled = [.. rows];
        new Random(3).Shuffle(shuffled);
        double grouped = Padding(Pool(capacity, 16).Batches(rows, new Random(1))), random = Padding(shuffled.Chunk(16));
        Assert.InRange(random, 0.3, 1);
        Assert.InRange(grouped, 0, random / 2);
    }

    [Fact]
    public void Batches_are_in_no_order_of_length()
    {
        int[] longest = [.. Pool(5000, 16).Batches(Rows(2000), new Random(1)).Select(batch => batch.Max(row => row.Ids.Length))];
        int rises = longest.Zip(longest.Skip(1)).Count(pair => pair.Second > pair.First);
        Assert.InRange(rises, longest.Length / 4, longest.Length * 3 / 4);
    }

    [Fact]
    public void A_stream_larger_than_the_pool_is_mixed()
    {
        // Sorted data, as a file of one label after the other: neighbours must not stay together.
        int[][] batches = Labels(Pool(200, 10).Batches(Rows(2000), new Random(1)));
        Assert.True(batches.Average(batch => batch.Max() - batch.Min()) > 100, "a batch takes rows from all over the pool");
        int[] order = [.. batches.SelectMany(batch => batch)];
        Assert.True(order.Select((row, place) => Math.Abs(row - place)).Average() > 40, "rows move by a good part of the pool");
        Assert.True(order.Select((row, place) => row - place).Max() <= 201, "no row comes before it can have been read");
    }

    [Fact]
    public void Passes_with_one_generator_differ()
    {
        ShufflePool<ClassifiedText> pool = Pool(1000, 16);
        var random = new Random(1);
        Assert.NotEqual(Labels(pool.Batches(Rows(100), random)), Labels(pool.Batches(Rows(100), random)));
    }

    [Theory]
    [InlineData(1000, 5000, 512)]
    [InlineData(1000, 100, 512)]
    [InlineData(1000, 20, 2048)] // more than the pool would hold
    [InlineData(100, 50, 64)]
    [InlineData(100, 50, 1)] // less than most rows
    [InlineData(3, 10, 500)]
    [InlineData(0, 10, 500)]
    public void Of_a_budget_every_row_comes_once_and_batches_are_nearly_full(int count, int capacity, int tokens)
    {
        ClassifiedText[][] batches = [.. Budget(capacity, tokens).Batches(Rows(count), new Random(1))];
        Assert.Equal(Enumerable.Range(0, count), batches.SelectMany(batch => batch.Select(row => row.Label)).Order());
        Assert.All(batches, batch => Assert.True(batch.Length == 1 || batch.Sum(row => row.Ids.Length) <= tokens));
        if (tokens > 64 && batches.Length > 1) Assert.All(batches.SkipLast(1), batch => Assert.InRange(batch.Sum(row => row.Ids.Length), tokens - 63, tokens));
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(100)]
    [InlineData(1)]
    public void How_many_batches_a_budget_makes_follows_from_lengths_alone(int capacity)
    {
        ClassifiedText[] rows = Rows(700);
        var lengths = new ShufflePool<int>(capacity, new BatchLimit(16, 300), length => length);
        int[][] expected = [.. lengths.Batches(rows.Select(row => row.Ids.Length), new Random(3))];
        int[][] found = [.. Budget(capacity, 300).Batches(rows, new Random(3)).Select(batch => batch.Select(row => row.Ids.Length).ToArray())];
        Assert.Equal(expected, found);
        Assert.NotEqual(found, Budget(capacity, 300).Batches(rows, new Random(4)).Select(batch => batch.Select(row => row.Ids.Length).ToArray()));
    }
}
