namespace MLComponents.Tokenization.Tests;

public sealed class EncodingOptionsTests
{
    // Every word is a token; <s> stands before every text, </s> behind it; <pad> pads.
    private static readonly PretrainedTokenizer Tokenizer = ComponentKit.Load(
        preTokenizer: """{"type":"WhitespaceSplit"}""",
        postProcessor: """
            {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],
             "pair":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}},{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"</s>","type_id":1}}],
             "special_tokens":{"<s>":{"id":"<s>","ids":[10],"tokens":["<s>"]},"</s>":{"id":"</s>","ids":[11],"tokens":["</s>"]}}}
            """,
        model: """{"type":"WordLevel","vocab":{"?":0,"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9},"unk_token":"?"}""",
        addedTokens: """[{"id":10,"content":"<s>","special":true},{"id":11,"content":"</s>","special":true},{"id":12,"content":"<pad>","special":true}]""");

    [Theory]
    [InlineData(SequenceSide.Right, 0, "<s> 1 2 3 </s>;<s> 4 5 6 </s>;<s> 7 </s>")]
    [InlineData(SequenceSide.Left, 0, "<s> 5 6 7 </s>;<s> 2 3 4 </s>;<s> 1 </s>")]
    [InlineData(SequenceSide.Right, 2, "<s> 1 2 3 </s>;<s> 2 3 4 </s>;<s> 3 4 5 </s>;<s> 4 5 6 </s>;<s> 5 6 7 </s>")]
    [InlineData(SequenceSide.Left, 1, "<s> 5 6 7 </s>;<s> 3 4 5 </s>;<s> 1 2 3 </s>")]
    public void A_long_text_becomes_overlapping_windows(SequenceSide side, int stride, string expected)
    {
        Encoding encoding = Tokenizer.Encode("1 2 3 4 5 6 7", new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 5, Stride = stride, TruncationSide = side });
        Assert.Equal(expected, Windows(encoding));
    }

    [Theory]
    [InlineData(TruncationStrategy.LongestFirst, "1 2 3", "4 5 6 7 8", 8, "<s> 1 2 </s> 4 5 6 </s>")]
    [InlineData(TruncationStrategy.LongestFirst, "1 2 3 4 5", "6", 7, "<s> 1 2 3 </s> 6 </s>")]
    [InlineData(TruncationStrategy.LongestFirst, "1 2 3 4 5", "6 7 8 9", 8, "<s> 1 2 3 </s> 6 7 </s>")]
    [InlineData(TruncationStrategy.OnlyFirst, "1 2 3 4", "5 6", 7, "<s> 1 2 </s> 5 6 </s>")]
    [InlineData(TruncationStrategy.OnlySecond, "1 2", "3 4 5 6", 7, "<s> 1 2 </s> 3 4 </s>")]
    [InlineData(TruncationStrategy.LongestFirst, "1 2", "3", 3, "<s> </s> </s>")]
    public void A_pair_is_cut_where_the_strategy_says(TruncationStrategy strategy, string first, string second, int length, string expected)
    {
        Encoding encoding = Tokenizer.Encode((first, second), new EncodingOptions { Truncation = strategy, MaxLength = length });
        Assert.Equal(expected, string.Join(' ', encoding.Tokens));
    }

    [Theory]
    [InlineData(SequenceSide.Right, "<s> 1 2 </s> <pad> <pad>", "<s> 1 2 3 4 </s>")]
    [InlineData(SequenceSide.Left, "<pad> <pad> <s> 1 2 </s>", "<s> 1 2 3 4 </s>")]
    public void A_batch_is_padded_to_its_longest(SequenceSide side, string first, string second)
    {
        IReadOnlyList<Encoding> encodings = Tokenizer.EncodeBatch(
            ["1 2", "1 2 3 4"], new EncodingOptions { Padding = PaddingStrategy.Longest, PaddingSide = side, PadTypeId = 7 }, TestContext.Current.CancellationToken);
        Assert.Equal([first, second], encodings.Select(encoding => string.Join(' ', encoding.Tokens)));
        Assert.Equal(encodings[0].Tokens.Select(token => token != "<pad>"), encodings[0].AttentionMask);
        Assert.Equal(encodings[0].Tokens.Select(token => token.StartsWith('<')), encodings[0].SpecialTokensMask);
        Assert.Equal(encodings[0].Tokens.Select(token => token == "<pad>" ? 7 : 0), encodings[0].TypeIds);
        Assert.Equal(encodings[0].Tokens.Select(token => token.StartsWith('<') ? null : (int?)0), encodings[0].SequenceIds);
    }

    [Theory]
    [InlineData(PaddingStrategy.MaxLength, 9, null, 9)]
    [InlineData(PaddingStrategy.MaxLength, 9, 4, 12)]
    [InlineData(PaddingStrategy.Longest, 9, 8, 8)]
    [InlineData(PaddingStrategy.DoNotPad, 9, 8, 4)]
    public void Lengths_are_padded_to_what_is_asked_for(PaddingStrategy strategy, int length, int? multiple, int expected) => Assert.Equal(
        expected,
        Tokenizer.Encode("1 2", new EncodingOptions { Padding = strategy, MaxLength = length, PadToMultipleOf = multiple }).Ids.Count);

    [Fact]
    public void Words_are_encoded_by_themselves_and_counted()
    {
        Encoding encoding = Tokenizer.Encode(EncodeInput.FromWords(["1 2", "", "3"], ["4"]), null);
        Assert.Equal("<s> 1 2 3 </s> 4 </s>", string.Join(' ', encoding.Tokens));
        Assert.Equal([null, 0, 0, 2, null, 0, null], encoding.WordIds);
        Assert.Equal([0..0, 0..1, 2..3, 0..1, 0..0, 0..1, 0..0], encoding.Offsets);
        Assert.Equal([(0, 0), (0, 1), (2, 3), (0, 1), (0, 0), (0, 1), (0, 0)], encoding.GetCodePointOffsets());
    }

    public static TheoryData<EncodingOptions, string?, string> Mistakes() => new()
    {
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst }, null, "MaxLength" },
        { new EncodingOptions { Padding = PaddingStrategy.MaxLength }, null, "MaxLength" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 0 }, null, "MaxLength" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 1 }, null, "adds 2 tokens" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 5, Stride = 4 }, null, "room for 3 tokens" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 5, Stride = 3 }, null, "must be smaller" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, MaxLength = 5, Stride = -1 }, null, "Stride" },
        { new EncodingOptions { Truncation = TruncationStrategy.OnlySecond, MaxLength = 5 }, null, "no second text" },
        { new EncodingOptions { Truncation = TruncationStrategy.OnlyFirst, MaxLength = 5 }, "1 2 3 4 5 6", "OnlyFirst" },
        { new EncodingOptions { Truncation = TruncationStrategy.LongestFirst, Padding = PaddingStrategy.MaxLength, MaxLength = 6, PadToMultipleOf = 4 }, null, "multiple" },
        { new EncodingOptions { Padding = PaddingStrategy.Longest, PadToMultipleOf = 0 }, null, "PadToMultipleOf" },
        { new EncodingOptions { Padding = PaddingStrategy.Longest, PadTokenId = 99 }, null, "99" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void What_cannot_be_done_is_said_before_it_is_done(EncodingOptions options, string? pair, string named)
    {
        Assert.Contains(named, Assert.ThrowsAny<ArgumentException>(() => Tokenizer.Encode(new EncodeInput("1 2 3 4 5 6 7", pair), options)).Message);
        Assert.Contains(named, Assert.ThrowsAny<ArgumentException>(() => Tokenizer.EncodeBatch([new EncodeInput("1 2 3 4 5 6 7", pair)], options, TestContext.Current.CancellationToken)).Message);
    }

    [Fact]
    public void A_tokenizer_without_a_padding_token_says_so()
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load();
        Assert.Contains("PadTokenId", Assert.Throws<ArgumentException>(() => tokenizer.Encode("a", new EncodingOptions { Padding = PaddingStrategy.Longest })).Message);
        Assert.Throws<ArgumentException>(() => tokenizer.Encode(default(EncodeInput), null));
        Assert.Throws<ArgumentNullException>(() => EncodeInput.FromWords(["a", null!]));
    }

    [Fact]
    public void A_batch_is_what_its_texts_are_by_themselves()
    {
        PretrainedTokenizer tokenizer = Samples.Load("phi3-like");
        var random = new Random(15);
        string[] texts = [.. Enumerable.Range(0, 200).Select(_ => Samples.RandomText(random, random.Next(40), loneSurrogates: true))];
        IReadOnlyList<Encoding> batch = tokenizer.EncodeBatch(texts, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(texts.Select(text => tokenizer.Encode(text).Ids), batch.Select(encoding => encoding.Ids));
        Assert.Equal(texts.Select(text => tokenizer.EncodeIds(text)), tokenizer.EncodeIdsBatch(texts, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Throws<OperationCanceledException>(() => tokenizer.EncodeIdsBatch(texts, cancellationToken: new CancellationToken(canceled: true)));
    }

    [Fact]
    public void The_options_of_a_file_are_told_and_not_applied()
    {
        PretrainedTokenizer tokenizer = Samples.LoadChanged(json =>
        {
            json["truncation"] = System.Text.Json.Nodes.JsonNode.Parse("""{"direction":"Left","max_length":4,"strategy":"OnlyFirst","stride":1}""");
            json["padding"] = System.Text.Json.Nodes.JsonNode.Parse("""{"strategy":"BatchLongest","direction":"Left","pad_to_multiple_of":2,"pad_id":1500,"pad_type_id":1,"pad_token":"x"}""");
        });
        EncodingOptions options = tokenizer.FileOptions!;
        Assert.Equal((TruncationStrategy.OnlyFirst, 4, 1, SequenceSide.Left), (options.Truncation, options.MaxLength!.Value, options.Stride, options.TruncationSide!.Value));
        Assert.Equal((PaddingStrategy.Longest, SequenceSide.Left, 2, 1500, 1), (options.Padding, options.PaddingSide!.Value, options.PadToMultipleOf!.Value, options.PadTokenId!.Value, options.PadTypeId));
        Assert.True(tokenizer.Encode("one two three four five six").Ids.Count > 4);
        Assert.Equal(4, tokenizer.Encode("one two three four five six", options).Ids.Count);
        Assert.Null(Samples.Load("qwen2-like").FileOptions);
    }

    private static string Windows(Encoding encoding) => string.Join(';', new[] { encoding }.Concat(encoding.Overflowing).Select(window => string.Join(' ', window.Tokens)));
}
