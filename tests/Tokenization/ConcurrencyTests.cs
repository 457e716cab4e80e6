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

    [Fact]
    public void A_full_cache_of_short_words_forgets_but_never_lies()
    {
        // Words that share slots, written and read at once: what is read must be whole and of the word that was asked for.
        var cache = new ShortWordCache();
        Parallel.For(0, 400_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, number =>
        {
            int value = number % 50_000;
            string word = value.ToString("x") + new string('z', value % 11);
            int[] ids = [.. Enumerable.Repeat(value, 1 + (value % 4))];
            var found = new IdBuffer();
            if (cache.TryAppend(word, out ShortWordCache.Key key, found)) Assert.Equal(ids, found.Ids.ToArray());
            else cache.Add(key, ids);
        });
    }

    [Theory]
    [InlineData("", "\0")]
    [InlineData("a", "a\0")]
    [InlineData("abcd", "abcd\0")]
    [InlineData("abcdefgh", "abcdefgh\0\0")]
    [InlineData("abcdefghijkl", "abcdefghijkm")]
    [InlineData("abcdefghijklmnop", "abcdefghijklmnoq")]
    public void Words_that_differ_have_different_keys(string word, string other)
    {
        Assert.False(ShortWordCache.Key.Of(word).Equals(ShortWordCache.Key.Of(other)));
        Assert.True(ShortWordCache.Key.Of(word).Equals(ShortWordCache.Key.Of(("x" + word + "y").AsSpan(1, word.Length))));
        for (int length = 0; length <= word.Length; length++)
        {
            string beginning = word[..length];
            Assert.True(ShortWordCache.Key.Of(beginning).Equals(ShortWordCache.Key.Of(word.AsSpan(0, length))));
            Assert.Equal(length == word.Length, ShortWordCache.Key.Of(beginning).Equals(ShortWordCache.Key.Of(word)));
        }
    }
}
