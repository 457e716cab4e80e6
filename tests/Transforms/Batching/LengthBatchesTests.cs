using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class LengthBatchesTests
{
    [Fact]
    public void Every_row_is_in_exactly_one_batch_within_the_limits()
    {
        var random = new Random(3);
        int[] lengths = [.. Enumerable.Range(0, 500).Select(_ => random.Next(1, 120))];
        IReadOnlyList<int[]> batches = LengthBatches.Plan(lengths, maxRows: 16, maxTokens: 600, callCost: 20);
        Assert.Equal(Enumerable.Range(0, lengths.Length), batches.SelectMany(batch => batch).Order());
        Assert.All(batches, batch =>
        {
            Assert.InRange(batch.Length, 1, 16);
            Assert.True(batch.Length * batch.Max(row => lengths[row]) <= 600);
        });
        int[] served = [.. batches.SelectMany(batch => batch).Select(row => lengths[row])];
        Assert.Equal(served.Order(), served);
    }

    [Fact]
    public void A_row_longer_than_the_budget_forms_a_batch_of_its_own()
    {
        IReadOnlyList<int[]> batches = LengthBatches.Plan([5, 900, 5], maxRows: 8, maxTokens: 100);
        Assert.Equal([[0, 2], [1]], batches);
    }

    [Fact]
    public void Without_a_price_there_are_as_few_batches_as_possible_with_the_least_padding_among_them()
    {
        IReadOnlyList<int[]> batches = LengthBatches.Plan([1, 1, 1, 50, 50], maxRows: 4, maxTokens: 1000);
        Assert.Equal([[0, 1, 2], [3, 4]], batches);
    }

    [Fact]
    public void A_price_per_batch_decides_whether_short_and_long_rows_are_parted()
    {
        int[] lengths = [2, 2, 30];
        Assert.Equal(2, LengthBatches.Plan(lengths, 8, 1000, callCost: 10).Count);
        Assert.Single(LengthBatches.Plan(lengths, 8, 1000, callCost: 100));
    }

    [Fact]
    public void The_plan_is_the_cheapest_of_all_cuts()
    {
        var random = new Random(5);
        for (int round = 0; round < 50; round++)
        {
            int[] lengths = [.. Enumerable.Range(0, 9).Select(_ => random.Next(1, 40)).Order()];
            long Cost(IEnumerable<int[]> batches) => batches.Sum(batch => 15L + batch.Length * lengths[batch[^1]]);
            long best = long.MaxValue;
            for (int cuts = 0; cuts < 1 << 8; cuts++)
            {
                var batches = new List<int[]>();
                int start = 0;
                for (int end = 1; end <= 9; end++)
                    if (end == 9 || (cuts & (1 << (end - 1))) != 0) (batches, start) = ([.. batches, [.. Enumerable.Range(start, end - start)]], end);
                if (batches.All(batch => batch.Length <= 4)) best = Math.Min(best, Cost(batches));
            }
            Assert.Equal(best, Cost(LengthBatches.Plan(lengths, 4, 10_000, callCost: 15)));
        }
    }

    [Fact]
    public void No_rows_make_no_batches_and_bad_arguments_are_refused()
    {
        Assert.Empty(LengthBatches.Plan([], 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => LengthBatches.Plan([1], 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => LengthBatches.Plan([1], 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => LengthBatches.Plan([0], 1, 1));
    }
}
