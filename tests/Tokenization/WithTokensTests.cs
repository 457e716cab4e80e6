namespace MLComponents.Tokenization.Tests;

public sealed class WithTokensTests
{
    [Theory]
    [InlineData("qwen2-like")]
    [InlineData("phi3-like")]
    [InlineData("unigram-metaspace")]
    [InlineData("mixed-added")]
    public void New_tokens_are_found_and_everything_else_stays(string name)
    {
        PretrainedTokenizer tokenizer = Samples.Load(name);
        PretrainedTokenizer more = tokenizer.WithTokens(["<|note|>", "<|end_note|>", "<|note|>"], special: true);
        Assert.Equal(tokenizer.VocabularySize + 2, more.VocabularySize);
        Assert.Equal(tokenizer.VocabularySize, more.TokenToId("<|note|>"));
        int[] ids = more.EncodeIds("<|note|>king<|end_note|>", addSpecialTokens: false);
        Assert.Equal([tokenizer.VocabularySize, .. tokenizer.EncodeIds("king", addSpecialTokens: false), tokenizer.VocabularySize + 1], ids);
        Assert.Equal("king", more.Decode(ids, skipSpecialTokens: true).Trim());
        foreach (string text in new[] { "the king, and <s> the <|im_end|> rest\n", "caf\u00E9 \U0001F642" })
            Assert.Equal(tokenizer.Encode(text).Ids, more.Encode(text).Ids);
        Assert.Equal(tokenizer.EosTokenId, more.EosTokenId);
    }

    [Fact]
    public void A_token_of_the_model_keeps_its_id()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        PretrainedTokenizer more = tokenizer.WithTokens(["the"]);
        Assert.Equal(tokenizer.VocabularySize, more.VocabularySize);
        Assert.Equal(tokenizer.TokenToId("the"), more.EncodeIds("the")[0]);
        Assert.Throws<ArgumentException>(() => tokenizer.WithTokens([""]));
    }

    [Fact]
    public void A_tokenizer_with_more_tokens_is_saved_and_loaded_as_it_is()
    {
        PretrainedTokenizer more = Samples.Load("gemma-like").WithTokens(["<a>", "<b>"]);
        PretrainedTokenizer again = PretrainedTokenizer.Load(more.Files);
        Assert.Equal(more.Files["tokenizer.json"], again.Files["tokenizer.json"]);
        Assert.Equal(more.Files["tokenizer.json"], again.WithTokens(["<a>"]).Files["tokenizer.json"]);
        Assert.Equal(more.EncodeIds("x<b>y"), again.EncodeIds("x<b>y"));
        PretrainedTokenizer none = Samples.LoadChanged(json => json.Remove("added_tokens"));
        Assert.Equal([none.VocabularySize], none.WithTokens(["<a>"]).EncodeIds("<a>"));
    }

    public static IEnumerable<TheoryDataRow<string>> AllTrained() => GoldenSet.TrainedFolders()
        .Select(found => new TheoryDataRow<string>(found.Folder) { TestDisplayName = $"{Path.GetFileName(found.Folder)}: written back, {found.Set}" });

    [Theory]
    [MemberData(nameof(AllTrained))]
    public void Writing_the_added_tokens_back_loses_nothing(string folder)
    {
        PretrainedTokenizer tokenizer = PretrainedTokenizer.Load(folder);
        PretrainedTokenizer again = tokenizer.WithTokens([]);
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(
            System.Text.Json.Nodes.JsonNode.Parse(tokenizer.Files["tokenizer.json"]), System.Text.Json.Nodes.JsonNode.Parse(again.Files["tokenizer.json"])));
    }
}
