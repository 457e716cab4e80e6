namespace MLComponents.Tokenization.Tests;

public sealed class DecoderTests
{
    [Theory]
    [InlineData(null, "a|b", "a b")]
    [InlineData("""{"type":"WordPiece","prefix":"##","cleanup":true}""", "##un|##able|do|not|.", "##unable do not.")]
    [InlineData("""{"type":"WordPiece","prefix":"##","cleanup":false}""", "he|##y|!", "hey !")]
    [InlineData("""{"type":"WordPiece"}""", "I|'m|you|do not", "I'm you don't")]
    [InlineData("""{"type":"BPEDecoder","suffix":"</w>"}""", "he|llo</w>|you</w>", "hello you")]
    [InlineData("""{"type":"CTC"}""", "<pad>|<pad>|h|e|e|l|l|<pad>|l|o|o|o|<pad>", "hello")]
    [InlineData("""{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"_"}""", "a|_|_|b|<pad>|b", "a bb")]
    [InlineData("""{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always"}""", "\u2581Hey|\u2581you\u2581", "Hey you ")]
    [InlineData("""{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"never"}""", "\u2581Hey|\u2581you", " Hey you")]
    [InlineData("""{"type":"ByteFallback"}""", "a|<0xE4>|<0xB8>|<0xAD>|b", "a\u4E2Db")]
    [InlineData("""{"type":"ByteFallback"}""", "<0xE4>|<0xB8>|<0x61>|b", "\uFFFD\uFFFD\uFFFDb")]
    [InlineData("""{"type":"ByteFallback"}""", "<0xe4>|<0xZZ>|<0x+A>", "\uFFFD<0xZZ>\n")]
    [InlineData("""{"type":"Strip","content":"_","start":1,"stop":2}""", "__a___|_|", "_a_")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"[0-9]+"},"content":"#"}""", "a12b3|4", "a#b##")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":1,"stop":0}]}""", "_a|_b", "a_b")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Strip","content":"_","start":1,"stop":0},{"type":"Fuse"}]}""", "_a|_b", "ab")]
    [InlineData("""{"type":"ByteLevel"}""", "\u0120caf\u00C3\u00A9|\U0001F642", " caf\u00E9\U0001F642")]
    public void A_decoder_makes_text_of_tokens(string? decoder, string tokens, string expected)
    {
        string[] all = tokens.Split('|');
        string vocabulary = string.Join(',', all.Distinct().Select((token, id) => $"{System.Text.Json.JsonSerializer.Serialize(token)}:{id}"));
        PretrainedTokenizer tokenizer = ComponentKit.Load(decoder: decoder, model: $$"""{"type":"WordLevel","vocab":{{{vocabulary}}},"unk_token":"?"}""");
        int[] ids = [.. all.Select(token => tokenizer.TokenToId(token)!.Value)];
        Assert.Equal(expected, tokenizer.Decode(ids, skipSpecialTokens: false));
        AssertStreamsAlike(tokenizer, ids);
    }

    [Fact]
    public void Cleaning_up_takes_out_the_spaces_of_English() =>
        Assert.Equal("He don't, I'm sure, 's fine!", PretrainedTokenizer.CleanUp("He do n't , I 'm sure , 's fine !").Replace(",'s", ", 's"));

    [Theory]
    [InlineData("phi3-like")]
    [InlineData("persimmon-like")]
    [InlineData("phi3-like-metaspace")]
    [InlineData("llama-metaspace-always-split")]
    [InlineData("gemma-like")]
    [InlineData("qwen2-like")]
    [InlineData("unigram-metaspace")]
    [InlineData("raw-space-pairs")]
    public void A_stream_gives_what_decoding_from_the_beginning_gives(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        var random = new Random(12);
        for (int trial = 0; trial < 150; trial++)
        {
            int[] ids = trial % 2 == 0
                ? tokenizer.EncodeIds(Samples.RandomText(random, random.Next(30), loneSurrogates: true))
                : [.. Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(trial % 3 == 0 ? 300 : tokenizer.VocabularySize + 2))];
            AssertStreamsAlike(tokenizer, ids);
        }
    }

    // The rule, from the beginning each time.
    private static void AssertStreamsAlike(PretrainedTokenizer tokenizer, int[] ids)
    {
        DecodeStream stream = tokenizer.CreateDecodeStream(skipSpecialTokens: false);
        int given = 0;
        string all = "";
        for (int count = 1; count <= ids.Length; count++)
        {
            all = tokenizer.Decode(ids.AsSpan(0, count), skipSpecialTokens: false);
            string expected = "";
            if (!all.EndsWith('\uFFFD'))
            {
                expected = Behind(all, given);
                given = Math.Max(given, CodePoints.Count(all));
                if (CodePoints.Count(all) < given) given = CodePoints.Count(all);
            }

            Assert.Equal(expected, stream.Add(ids[count - 1]));
        }

        Assert.Equal(Behind(all, given), stream.Flush());
    }

    private static string Behind(string text, int codePoints) => string.Concat(text.EnumerateRunes().Skip(codePoints).Select(rune => rune.ToString()));
}
