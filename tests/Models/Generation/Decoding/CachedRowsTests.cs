using static MLComponents.Models.Tests.BatchReading;

namespace MLComponents.Models.Tests;

/// <summary>Rows that join, leave, are copied, forget, and let go of what windows have passed.</summary>
public class CachedRowsTests
{
    [Fact]
    public void Rows_longer_than_pages_and_steps_go_on_after_they_join_leave_are_copied_and_forget()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        int[] text = [.. Enumerable.Range(0, 150).Select(place => 3 + (place * place % 57))];
        Run(new FusedDecodingModel(model) { LongPrompt = int.MaxValue });
        Run(new FusedDecodingModel(model) { LongPrompt = 20 });

        void Run(IDecodingModel decoding)
        {
            using IDecodingBatch batch = decoding.NewBatch(2, canForget: true), late = decoding.NewBatch(1, canForget: true);
            Read(batch, [text[..100], text[..31]]);
            Read(batch, [text[100..140], text[31..71]]);
            Read(late, [text[..64]]);
            batch.Join(late);
            Assert.Equal(0, late.RowCount);
            batch.Select([2, 0, 0, 1]);
            AssertClose(Alone(model, [.. text[..64], 5]), Row(model, Read(batch, [[5], [6], [7], [8]]), 0));
            using IDecodingBatch clone = batch.Clone();
            batch.Forget(10);
            float[] ours = Read(batch, [[11, 12], [13, 14], [15, 16], [17, 18]]), theirs = Read(clone, [[21], [22], [23], [24]]);
            AssertClose(Alone(model, [.. text[..55], 11, 12]), Row(model, ours, 0));
            AssertClose(Alone(model, [.. text[..131], 13, 14]), Row(model, ours, 1));
            AssertClose(Alone(model, [.. text[..131], 15, 16]), Row(model, ours, 2));
            AssertClose(Alone(model, [.. text[..62], 17, 18]), Row(model, ours, 3));
            AssertClose(Alone(model, [.. text[..64], 5, 21]), Row(model, theirs, 0));
            AssertClose(Alone(model, [.. text[..140], 6, 22]), Row(model, theirs, 1));
            AssertClose(Alone(model, [.. text[..140], 7, 23]), Row(model, theirs, 2));
            AssertClose(Alone(model, [.. text[..71], 8, 24]), Row(model, theirs, 3));
            Assert.Equal([.. text[..131], 15, 16], batch.TokensOf(2).ToArray());
        }
    }

    [Theory]
    [InlineData("phi3, all layers slide", false)]
    [InlineData("phi3, all layers slide", true)]
    [InlineData("qwen2, some layers slide", false)]
    [InlineData("qwen2, some layers slide", true)]
    public void Rows_let_go_of_what_windows_have_passed_and_go_on_with_the_same_bits(string name, bool byForwardPass)
    {
        DecoderConfig config = CacheModels.Config(name);
        using var model = new CausalLanguageModel(config, seed: 1);
        var decoding = new FusedDecodingModel(model) { LongPrompt = byForwardPass ? 1 : int.MaxValue };
        int[] text = [.. Enumerable.Range(0, 300).Select(place => 3 + (place * place % 50))];
        using IDecodingBatch all = decoding.NewBatch(1, canForget: true), windows = decoding.NewBatch(1, canForget: false);
        Assert.Equal(Read(all, [text[..200]]), Read(windows, [text[..200]]));
        using IDecodingBatch copy = windows.Clone();
        windows.Select([0, 0]);
        for (int place = 200; place < 300; place++)
        {
            float[] expected = Read(all, [text[place..(place + 1)]]), found = Read(windows, [text[place..(place + 1)], text[place..(place + 1)]]);
            Assert.Equal([.. expected, .. expected], found);
        }

        // Of the pages of sliding layers, which see 4 tokens, a row keeps 1 or 2.
        int full = Enumerable.Range(0, config.LayerCount).All(layer => config.WindowOf(layer) is not null) ? 0 : 300 / CachePages.Tokens + 1;
        using IDecodingBatch fresh = decoding.NewBatch(1, canForget: false);
        long empty = CachePages.Live;
        Read(fresh, [text[..290]]);
        Assert.InRange(CachePages.Live - empty, full + 1, full + 2);
    }

    [Fact]
    public void Batches_leave_no_page_and_no_tensor_behind()
    {
        using var model = new CausalLanguageModel(CacheModels.Config("qwen2, some layers slide"), seed: 1);
        var decoding = new FusedDecodingModel(model) { LongPrompt = 5 };
        int[] text = [.. Enumerable.Repeat(7, 50)];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long pages = CachePages.Live;
        LeakTests.AssertSteady(() =>
        {
            using IDecodingBatch batch = decoding.NewBatch(2, canForget: false), late = decoding.NewBatch(1, canForget: false);
            Read(batch, [text, [4]]);
            Read(late, [text]);
            batch.Join(late);
            batch.Select([2, 2, 0]);
            using IDecodingBatch clone = batch.Clone();
            Read(clone, [[1], [2], [3]]);
            batch.Forget(40);
            batch.Select([1]);
        });
        Assert.Equal(pages, CachePages.Live);
    }
}
