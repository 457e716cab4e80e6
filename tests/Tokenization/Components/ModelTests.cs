namespace MLComponents.Tokenization.Tests;

public sealed class ModelTests
{
    private const string Words = """{"type":"WhitespaceSplit"}""";

    [Theory]
    [InlineData("unaffable", "un|##aff|##able", "[0,2][2,5][5,9]")]
    [InlineData("unaffablex", "[UNK]", "[0,10]")]
    [InlineData("\U0001F642", "[UNK]", "[0,1]")]
    [InlineData("unaffableunaffable", "[UNK]", "[0,18]")] // too long
    [InlineData("", "", "")]
    public void WordPiece_takes_the_longest_token_again_and_again(string text, string tokens, string offsets)
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, model: """
            {"type":"WordPiece","vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"##a":4,"##unaff":5},"unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":15}
            """);
        Encoding encoding = tokenizer.Encode(text);
        Assert.Equal(tokens, string.Join('|', encoding.Tokens));
        Assert.Equal(offsets, string.Concat(encoding.GetCodePointOffsets().Select(offset => $"[{offset.Start},{offset.End}]")));
        Assert.Equal(encoding.Ids, tokenizer.EncodeIds(text));
    }

    [Fact]
    public void WordLevel_knows_whole_pieces_only()
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, model: """{"type":"WordLevel","vocab":{"a":0,"?":1},"unk_token":"?"}""");
        Assert.Equal(["a", "?", "a"], tokenizer.Encode("a ab a").Tokens);
    }

    [Fact]
    public void A_text_that_cannot_be_written_at_all_is_an_error_that_says_so()
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, model: """{"type":"WordLevel","vocab":{"a":0},"unk_token":"?"}""");
        Assert.Equal([0], tokenizer.EncodeIds("a"));
        Assert.Contains("'xyz'", Assert.Throws<InvalidOperationException>(() => tokenizer.EncodeIds("xyz")).Message);
        tokenizer = ComponentKit.Load(model: """{"type":"Unigram","vocab":[["a",-1]]}""");
        Assert.Contains("Unigram", Assert.Throws<InvalidOperationException>(() => tokenizer.EncodeIds("ab")).Message);
        Assert.Equal([0, 0], tokenizer.EncodeIds("aa"));
    }

    [Fact]
    public void BPE_with_affixes_looks_characters_up_with_them_and_merges_them_away()
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, model: """
            {"type":"BPE","vocab":{"l":0,"##o":1,"##w":2,"##w</w>":3,"l</w>":4,"lo":5,"low</w>":6},"merges":["l ##o","lo ##w</w>"],
             "continuing_subword_prefix":"##","end_of_word_suffix":"</w>","unk_token":null}
            """);
        Encoding encoding = tokenizer.Encode("low lowl l");
        Assert.Equal(["low</w>", "lo", "##w", "l</w>"], encoding.Tokens);
        Assert.Equal([0..3, 4..6, 6..7, 9..10], encoding.Offsets);
    }

    [Fact]
    public void Unknown_characters_fuse_behind_bytes_as_in_the_reference()
    {
        const string vocabulary = """{"<unk>":0,"a":1,"<0xC3>":2,"<0xA9>":3}""";
        PretrainedTokenizer Load(bool fuse) => ComponentKit.Load(model: $$"""
            {"type":"BPE","vocab":{{vocabulary}},"merges":[],"unk_token":"<unk>","byte_fallback":true,"fuse_unk":{{(fuse ? "true" : "false")}}}
            """);
        Assert.Equal([2, 3, 0, 1], Load(fuse: true).EncodeIds("\u4E2D\u00E9\u4E2Da"));
        Assert.Equal([1, 0, 0], Load(fuse: false).EncodeIds("a\u4E2D\u4E2D"));
        Encoding encoding = Load(fuse: true).Encode("a\u4E2D\u4E2D\u00E9");
        Assert.Equal([1, 2, 3, 0], encoding.Ids);
    }

    [Theory]
    [InlineData("low\u2581er", "low|\u2581er")]
    [InlineData("xlow", "x|low")]
    [InlineData("xyzlow", "xyz|low")]
    public void Unigram_cuts_where_the_sum_of_scores_is_largest(string text, string tokens)
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(model: """
            {"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["l",-3],["o",-3],["w",-3],["low",-4],["\u2581",-3],["e",-3],["r",-3],["\u2581er",-5],["ow",-2]]}
            """);
        Encoding encoding = tokenizer.Encode(text);
        Assert.Equal(tokens, string.Join('|', encoding.Tokens));
        Assert.Equal(encoding.Ids, tokenizer.EncodeIds(text));
    }

    [Fact]
    public void Unigram_agrees_with_trying_every_way()
    {
        var random = new Random(13);
        for (int trial = 0; trial < 200; trial++)
        {
            var vocabulary = new Dictionary<string, double> { ["<unk>"] = 0, ["a"] = -random.Next(1, 30), ["b"] = -random.Next(1, 30) };
            for (int piece = 0; piece < 6; piece++) vocabulary[new string([.. Enumerable.Range(0, random.Next(2, 5)).Select(_ => "ab"[random.Next(2)])])] = -random.Next(1, 30) - (piece / 16.0);
            string json = string.Join(',', vocabulary.Select(entry => FormattableString.Invariant($"[\"{entry.Key}\",{entry.Value}]")));
            PretrainedTokenizer tokenizer = ComponentKit.Load(model: $$"""{"type":"Unigram","unk_id":0,"vocab":[{{json}}]}""");
            string text = new([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => "ab"[random.Next(2)])]);
            double best = Ways(text, vocabulary).Max();
            Assert.Equal(best, tokenizer.Encode(text).Tokens.Sum(token => vocabulary[token]), 1e-9);
        }
    }

    [Fact]
    public void Words_that_no_token_crosses_are_merged_like_the_whole_text()
    {
        // The same merges, with a token that crosses a boundary so that the whole text is one word.
        PretrainedTokenizer cut = Samples.Load("phi3-like");
        var random = new Random(14);
        for (int trial = 0; trial < 300; trial++)
        {
            string text = Samples.RandomText(random, random.Next(1, 60), loneSurrogates: false) + " the king of the";
            Assert.Equal(PlainIds(cut, text), cut.EncodeIds(text, addSpecialTokens: false));
        }
    }

    private static IEnumerable<double> Ways(string text, Dictionary<string, double> vocabulary)
    {
        if (text.Length == 0) return [0.0];
        return vocabulary.Where(entry => text.StartsWith(entry.Key, StringComparison.Ordinal))
            .SelectMany(entry => Ways(text[entry.Key.Length..], vocabulary).Select(rest => entry.Value + rest));
    }

    // Byte-pair encoding as it is defined, over the whole text at once.
    private static int[] PlainIds(PretrainedTokenizer tokenizer, string text)
    {
        using var file = System.Text.Json.JsonDocument.Parse(tokenizer.Files["tokenizer.json"]);
        var ranks = new Dictionary<(string, string), int>();
        foreach (System.Text.Json.JsonElement merge in file.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray())
        {
            string[] parts = merge.ValueKind == System.Text.Json.JsonValueKind.Array ? [merge[0].GetString()!, merge[1].GetString()!] : merge.GetString()!.Split(' ');
            ranks[(parts[0], parts[1])] = ranks.Count;
        }

        var symbols = new List<string>();
        foreach (System.Text.Rune rune in ("\u2581" + text.Replace(' ', '\u2581')).EnumerateRunes())
        {
            if (tokenizer.TokenToId(rune.ToString()) is not null) symbols.Add(rune.ToString());
            else symbols.AddRange(System.Text.Encoding.UTF8.GetBytes(rune.ToString()).Select(value => $"<0x{value:X2}>"));
        }

        while (true)
        {
            int best = -1;
            for (int index = 0; index + 1 < symbols.Count; index++)
            {
                if (!ranks.TryGetValue((symbols[index], symbols[index + 1]), out int rank)) continue;
                if (best < 0 || rank < ranks[(symbols[best], symbols[best + 1])]) best = index;
            }

            if (best < 0) return [.. symbols.Select(symbol => tokenizer.TokenToId(symbol)!.Value)];
            symbols[best] += symbols[best + 1];
            symbols.RemoveAt(best + 1);
        }
    }
}
