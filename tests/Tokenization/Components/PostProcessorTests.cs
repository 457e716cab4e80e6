namespace MLComponents.Tokenization.Tests;

public sealed class PostProcessorTests
{
    private const string Model = """{"type":"WordLevel","vocab":{"a":0,"b":1,"c":2,"[CLS]":3,"[SEP]":4,"\u0120a":5},"unk_token":"a"}""";
    private const string Words = """{"type":"WhitespaceSplit"}""";

    [Theory]
    [InlineData("""{"type":"BertProcessing","sep":["[SEP]",4],"cls":["[CLS]",3]}""", "[CLS] a b [SEP]", "[CLS] a b [SEP] c [SEP]", "0 0 0 0 1 1", "- 0 0 - 1 -")]
    [InlineData("""{"type":"RobertaProcessing","sep":["[SEP]",4],"cls":["[CLS]",3],"trim_offsets":true,"add_prefix_space":false}""", "[CLS] a b [SEP]", "[CLS] a b [SEP] [SEP] c [SEP]", "0 0 0 0 0 0 0", "- 0 0 - - 1 -")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":2}}],"pair":[{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"x","type_id":3}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"x":{"id":"x","ids":[3,4],"tokens":["[CLS]","[SEP]"]}}}""", "a b", "c [CLS] [SEP] a b", "1 3 3 0 0", "1 - - 0 0")]
    [InlineData("""{"type":"ByteLevel"}""", "a b", "a b c", "0 0 1", "0 0 1")]
    [InlineData("""{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"BertProcessing","sep":["[SEP]",4],"cls":["[CLS]",3]}]}""", "[CLS] a b [SEP]", "[CLS] a b [SEP] c [SEP]", "0 0 0 0 1 1", "- 0 0 - 1 -")]
    public void Special_tokens_stand_around_one_text_and_two(string processor, string single, string pair, string types, string sequences)
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, postProcessor: processor, model: Model);
        Assert.Equal(single, string.Join(' ', tokenizer.Encode("a b").Tokens));
        Assert.Equal(tokenizer.Encode("a b").Ids, tokenizer.EncodeIds("a b"));
        Encoding encoding = tokenizer.Encode(("a b", "c"), null);
        Assert.Equal(pair, string.Join(' ', encoding.Tokens));
        Assert.Equal(types, string.Join(' ', encoding.TypeIds));
        Assert.Equal(sequences, string.Join(' ', encoding.SequenceIds.Select(sequence => sequence?.ToString() ?? "-")));
        Assert.Equal(encoding.SequenceIds.Select(sequence => sequence is null), encoding.SpecialTokensMask);
        Assert.Equal("a b", string.Join(' ', tokenizer.Encode("a b", new EncodingOptions { AddSpecialTokens = false }).Tokens));
    }

    [Fact]
    public void A_template_may_repeat_the_text()
    {
        PretrainedTokenizer tokenizer = ComponentKit.Load(preTokenizer: Words, model: Model, postProcessor: """
            {"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A","type_id":1}}],
             "pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"x":{"id":"x","ids":[4],"tokens":["[SEP]"]}}}
            """);
        Assert.Equal([0, 1, 4, 0, 1], tokenizer.EncodeIds("a b"));
        Assert.Equal([0, 1, 4, 0, 1], tokenizer.Encode("a b").Ids);
    }

    [Theory]
    [InlineData("""{"type":"BertProcessing","sep":["[SEP]"],"cls":["[CLS]",3]}""", "post_processor.sep")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B","type_id":0}}],"special_tokens":{}}""", "must be A")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Sequence":{"id":"C","type_id":0}}],"special_tokens":{}}""", "must be A or B")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}}],"special_tokens":{}}""", "special_tokens.x")]
    [InlineData("""{"type":"TemplateProcessing","single":[{"Other":1}],"special_tokens":{}}""", "single[0]")]
    public void Wrong_templates_are_named(string processor, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ComponentKit.Load(postProcessor: processor, model: Model)).Message);

    [Fact]
    public void A_template_behind_what_adds_tokens_is_refused()
    {
        const string template = """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"x","type_id":0}}],"special_tokens":{"x":{"id":"x","ids":[4],"tokens":["[SEP]"]}}}""";
        Assert.Contains("template", Assert.Throws<NotSupportedException>(() =>
            ComponentKit.Load(postProcessor: $$"""{"type":"Sequence","processors":[{{template}},{{template}}]}""", model: Model)).Message);
    }
}
