using MLComponents.Tokenization;
using MLComponents.Transforms;

namespace MLComponents.Tests.Transforms;

public class LanguageEncoderTests
{
    private const string Template = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    private const string Marked = "{% for message in messages %}<{{ message.role }}>{% if message.role == 'assistant' %}{% generation %}{{ message.content }}{% endgeneration %}{% else %}{{ message.content }}{% endif %}{{ eos_token }}{% endfor %}";
    private const string Changing = "{% for message in messages %}{% if loop.last %}!{% endif %}<{{ message.role }}>{{ message.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

    private static PretrainedTokenizer Tokenizer(string template) =>
        PretrainedTokenizer.Load(new Dictionary<string, byte[]>(TinyModel.Tokenizer().Files) { ["chat_template.jinja"] = System.Text.Encoding.UTF8.GetBytes(template) });

    private static LanguageRow Encode(LanguageText text, LearnedText learned = LearnedText.Text, int maxLength = 1000, TruncationSide side = TruncationSide.Start, string? template = null) =>
        new LanguageEncoder(template is null ? TinyModel.Tokenizer() : Tokenizer(template), learned, maxLength, side, endOfText: true).Encode(text);

    private static string Learned(LanguageSequence part) => string.Concat(part.Ids.Where((_, token) => part.Learned[token]).Select(id => id < 256 ? ((char)id).ToString() : "$"));

    [Theory]
    [InlineData(null, "abc", "bc$")] // nothing stands before the first token
    [InlineData("", "abc", "bc$")]
    [InlineData("say ", "abc", "abc$")]
    [InlineData(null, "", "")]
    [InlineData("say", "", "$")]
    public void The_text_is_learnt_and_the_prompt_is_not(string? prompt, string text, string learned) =>
        Assert.Equal(learned, Learned(Assert.Single(Encode(new(prompt, text)).Parts)));

    [Theory]
    [InlineData(10)]
    [InlineData(2)]
    [InlineData(7)]
    public void A_long_text_is_learnt_in_parts_each_token_once(int maxLength)
    {
        string text = string.Concat(Enumerable.Range(0, 53).Select(i => (char)('A' + i)));
        LanguageRow row = Encode(new(null, text), maxLength: maxLength);
        Assert.False(row.Truncated);
        Assert.Equal(text[1..] + "$", string.Concat(row.Parts.Select(Learned)));
        Assert.All(row.Parts, part => Assert.InRange(part.Ids.Length, 2, maxLength));
    }

    [Theory]
    [InlineData(TruncationSide.Start, "f!$")]
    [InlineData(TruncationSide.End, "")]
    [InlineData(TruncationSide.Middle, "!$")]
    public void A_long_prompt_is_cut_where_the_options_say_and_said_to_be(TruncationSide side, string learned)
    {
        LanguageRow row = Encode(new("0123456789abcde", "f!"), maxLength: 5, side: side);
        Assert.True(row.Truncated);
        Assert.Equal(learned, Learned(Assert.Single(row.Parts)));
        Assert.Equal(5, row.Parts[0].Ids.Length);
    }

    [Theory]
    [InlineData(Template, "yes$")]
    [InlineData(Marked, "yes")] // only what the template marks
    public void An_answer_is_written_by_the_chat_template(string template, string learned)
    {
        LanguageSequence part = Assert.Single(Encode(new("ok?", "yes"), LearnedText.ChatResponse, template: template).Parts);
        Assert.Equal("<user>ok?$<assistant>yes$", string.Concat(part.Ids.Select(id => id < 256 ? ((char)id).ToString() : "$")));
        Assert.Equal(learned, Learned(part));
    }

    [Theory]
    [InlineData(Template, "yes$no$")]
    [InlineData(Marked, "yesno")]
    public void What_the_assistant_says_in_a_conversation_is_learnt(string template, string learned)
    {
        const string json = """[{"role": "user", "content": "a"}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "no"}]""";
        Assert.Equal(learned, Learned(Assert.Single(Encode(new(null, json), LearnedText.Conversation, template: template).Parts)));
    }

    [Theory]
    [InlineData("hello", "no JSON")]
    [InlineData("{}", "array of messages")]
    [InlineData("[]", "array of messages")]
    [InlineData("""[{"content": "a"}]""", "array of messages")]
    [InlineData("""[1]""", "array of messages")]
    public void What_is_no_conversation_is_refused(string json, string inMessage) =>
        Assert.Contains(inMessage, Assert.Throws<FormatException>(() => Encode(new(null, json), LearnedText.Conversation, template: Template)).Message);

    [Fact]
    public void A_template_that_does_not_tell_who_said_what_is_refused_and_so_is_none()
    {
        const string json = """[{"role": "user", "content": "a"}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "b"}]""";
        Assert.Contains("{% generation %}", Assert.Throws<FormatException>(() => Encode(new(null, json), LearnedText.Conversation, template: Changing)).Message);
        Assert.Contains("begins with what", Assert.Throws<FormatException>(() => Encode(new(null, """[{"role": "assistant", "content": "yes"}]"""), LearnedText.Conversation, template: Template)).Message);
        Assert.Contains("has none", Assert.Throws<ArgumentException>(() => Encode(new("a", "b"), LearnedText.ChatResponse)).Message);
    }
}
