namespace MLComponents.Tokenization.Tests;

public sealed class ConcurrencyTests
{
    [Fact]
    public void Many_threads_get_what_one_thread_gets()
    {
        PretrainedTokenizer alone = Samples.Load("qwen2-like");
        var random = new Random(5);
        string[] texts = [.. Enumerable.Range(0, 400).Select(_ => Samples.RandomText(random, 80, loneSurrogates: true))];
        int[][] expected = [.. texts.Select(text => alone.EncodeIds(text))];

        PretrainedTokenizer shared = Samples.Load("qwen2-like");
        Parallel.For(0, 8 * texts.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index =>
        {
            int text = index % texts.Length;
            int[] ids = index % 3 == 0 ? [.. shared.Encode(texts[text]).Ids] : shared.EncodeIds(texts[text]);
            Assert.Equal(expected[text], ids);
        });
    }

    [Fact]
    public void A_full_word_cache_forgets_but_never_lies()
    {
        var cache = new WordCache();
        Parallel.For(0, 200_000, number =>
        {
            string word = "w" + (number % 100_000);
            int hash = WordCache.Hash(word);
            if (cache.TryGet(word, hash, out ReadOnlySpan<int> ids)) Assert.Equal(number % 100_000, ids[0]);
            else cache.Add(word, hash, [number % 100_000]);
        });
    }
}
