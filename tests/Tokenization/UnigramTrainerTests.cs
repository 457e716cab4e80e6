namespace MLComponents.Tokenization.Tests;

public sealed class UnigramTrainerTests
{
    private static readonly string[] Texts =
    [
        .. Enumerable.Repeat("the lowest tower is lower than the newest tower", 20),
        .. Enumerable.Repeat("a wide river and a wider river", 15),
        "caf\u00E9 \U0001F642 \u4E2D\u6587",
    ];

    // This repository's own pages: enough words for vocabularies of any size.
    private static readonly string[] Pages =
        [.. Directory.EnumerateFiles(Path.Combine(MLComponents.Testing.TestPaths.Repository, "docs"), "*.md").Order(StringComparer.Ordinal).SelectMany(File.ReadLines)];

    [Fact]
    public void Frequent_words_become_pieces_and_any_text_decodes_to_itself()
    {
        PretrainedTokenizer tokenizer = Train(UnigramTrainer.SmallestVocabulary + 60, Texts);
        Assert.Equal(["\u2581the", "\u2581tower"], tokenizer.Encode("the tower").Tokens);
        foreach (string text in new[] { "the caf\u00E9", "  two  spaces ", "\u0E01\U0001F680\n", "unseen Words", "" })
            Assert.Equal(text, tokenizer.Decode(tokenizer.EncodeIds(text), skipSpecialTokens: false));
    }

    [Fact]
    public void The_size_is_kept_and_special_tokens_and_bytes_come_first()
    {
        PretrainedTokenizer tokenizer = Train(700, Pages);
        Assert.Equal(700, tokenizer.VocabularySize);
        Assert.Equal((0, 1, 2, 2), (tokenizer.UnkTokenId, tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId));
        Assert.Equal("<0x00>", tokenizer.IdToToken(3));
        Assert.Equal("<0xFF>", tokenizer.IdToToken(258));
        Assert.Equal("", tokenizer.Decode([1, 2], skipSpecialTokens: true));
    }

    [Fact]
    public void A_larger_vocabulary_needs_fewer_tokens()
    {
        int[] counts = [.. new[] { 400, 800, 1600 }.Select(size => Train(size, Pages).EncodeIds(string.Join('\n', Pages)).Length)];
        Assert.True(counts[0] > counts[1] && counts[1] > counts[2], string.Join(' ', counts));
    }

    [Fact]
    public void The_expected_counts_are_those_of_all_ways_to_cut_a_word()
    {
        // ab: as one piece, or a and b; half as likely each.
        var lattice = new UnigramLattice([("a", Math.Log(0.5)), ("b", Math.Log(0.5)), ("ab", Math.Log(0.25))]);
        var expected = new double[3];
        lattice.AddExpectations("ab", 4, expected);
        Assert.Equal(2, expected[0], 1e-12);
        Assert.Equal(2, expected[1], 1e-12);
        Assert.Equal(2, expected[2], 1e-12);
        Assert.Equal([0, 1], lattice.Best("ab", without: 2));
    }

    [Fact]
    public void The_same_texts_give_the_same_file_in_any_order()
    {
        byte[] first = Train(320, Texts).Files["tokenizer.json"];
        Assert.Equal(first, Train(320, Texts).Files["tokenizer.json"]);
        Assert.Equal(first, Train(320, Texts.Reverse()).Files["tokenizer.json"]);
    }

    [Fact]
    public void Few_texts_give_a_smaller_vocabulary_and_bad_arguments_are_refused()
    {
        Assert.Equal(UnigramTrainer.SmallestVocabulary - 1, Train(5000, []).VocabularySize);
        Assert.Equal(UnigramTrainer.SmallestVocabulary - 1 + 1, Train(5000, [""]).VocabularySize); // the space before it
        Assert.Throws<ArgumentOutOfRangeException>(() => new UnigramTrainer(259));
        Assert.Throws<OperationCanceledException>(() => new UnigramTrainer(300).Train(Texts, new CancellationToken(canceled: true)));
    }

    private static PretrainedTokenizer Train(int size, IEnumerable<string> texts) => new UnigramTrainer(size).Train(texts, TestContext.Current.CancellationToken);
}
