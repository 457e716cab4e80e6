using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class TokenBatchTests
{
    [Fact]
    public void Rows_are_padded_on_the_right_and_know_their_last_token()
    {
        using TokenBatch batch = TokenBatch.Create([[1, 2, 3], [4]], padId: 9);
        Assert.Equal([2, 3], batch.InputIds.shape);
        Assert.Equal([1L, 2, 3, 4, 9, 9], batch.InputIds.data<long>().ToArray());
        Assert.Equal([2L, 0], batch.LastPositions.data<long>().ToArray());
        Assert.Equal(4, batch.Tokens);
    }

    [Fact]
    public void Rows_that_hold_the_padding_token_are_read_off_where_the_reference_pools_them()
    {
        // Inside: no matter. At the end: the rightmost other token. Nothing else: the first position.
        using TokenBatch batch = TokenBatch.Create([[1, 9, 3], [4, 5, 9, 9], [9, 9]], padId: 9);
        Assert.Equal([2L, 1, 0], batch.LastPositions.data<long>().ToArray());
    }

    [Fact]
    public void Without_a_padding_token_rows_are_read_off_at_their_end()
    {
        using TokenBatch batch = TokenBatch.Create([[1, 0], [2, 3, 0]], padId: null);
        Assert.Equal([1L, 2], batch.LastPositions.data<long>().ToArray());
    }

    [Fact]
    public void Empty_batches_and_rows_are_refused()
    {
        Assert.Throws<ArgumentException>(() => TokenBatch.Create([], 0));
        Assert.Throws<ArgumentException>(() => TokenBatch.Create([[1], []], 0));
    }
}
