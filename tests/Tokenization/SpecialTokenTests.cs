namespace MLComponents.Tokenization.Tests;

public sealed class SpecialTokenTests
{
    [Fact]
    public void Roles_come_from_the_configuration()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        Assert.Equal("<|endoftext|>", tokenizer.IdToToken(tokenizer.PadTokenId!.Value));
        Assert.Equal("<|im_end|>", tokenizer.IdToToken(tokenizer.EosTokenId!.Value));
        Assert.Null(tokenizer.BosTokenId);
        Assert.Equal(1507, tokenizer.VocabularySize);
    }

    [Theory]
    [InlineData("""{"eos_token":"<|im_end|>"}""", null, 1502)]
    [InlineData("""{"eos_token":{"content":"<|im_end|>","lstrip":false}}""", null, 1502)]
    [InlineData(null, """{"eos_token":{"content":"<|im_start|>"}}""", 1501)]
    [InlineData("""{"eos_token":null}""", """{"eos_token":"<|im_start|>"}""", 1501)]
    [InlineData("""{"eos_token":"<|im_end|>"}""", """{"eos_token":"<|im_start|>"}""", 1502)]
    [InlineData("{}", "{}", null)]
    [InlineData(null, null, 1500)] // no file says: the usual name
    public void The_configuration_wins_over_the_older_map_and_both_over_usual_names(string? configuration, string? map, int? expected) =>
        Assert.Equal(expected, Load(configuration, map).EosTokenId);

    [Theory]
    [InlineData("""{"pad_token":"<nowhere>"}""", "<nowhere>")]
    [InlineData("""{"pad_token":7}""", "pad_token must be a string")]
    [InlineData("""[]""", "tokenizer_config.json")]
    [InlineData("""{""", "tokenizer_config.json is not valid JSON")]
    public void Wrong_configurations_are_format_errors(string configuration, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => Load(configuration, null)).Message);

    [Fact]
    public void Ids_and_tokens_that_do_not_exist_are_null_and_decode_to_nothing()
    {
        PretrainedTokenizer tokenizer = Samples.Load("qwen2-like");
        Assert.Null(tokenizer.IdToToken(-1));
        Assert.Null(tokenizer.IdToToken(tokenizer.VocabularySize));
        Assert.Null(tokenizer.TokenToId("no such token"));
        int a = tokenizer.TokenToId("a")!.Value;
        Assert.Equal("aa", tokenizer.Decode([a, -5, 1_000_000, a], skipSpecialTokens: false));
    }

    private static PretrainedTokenizer Load(string? configuration, string? map)
    {
        var files = new Dictionary<string, byte[]> { ["tokenizer.json"] = File.ReadAllBytes(Path.Combine(Samples.Folder("qwen2-like"), "tokenizer.json")) };
        if (configuration is not null) files["tokenizer_config.json"] = System.Text.Encoding.UTF8.GetBytes(configuration);
        if (map is not null) files["special_tokens_map.json"] = System.Text.Encoding.UTF8.GetBytes(map);
        return PretrainedTokenizer.Load(files);
    }
}
