using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace MLComponents.Tokenization.Tests;

public sealed class ChatTemplateTests
{
    private const string ChatMl = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    [Fact]
    public void Messages_become_the_text_of_the_template()
    {
        RenderedChat chat = ChatTemplate.Compile(ChatMl).Render([new ChatMessage(ChatRole.System, "Be brief."), new ChatMessage(ChatRole.User, "Hi")], new ChatTemplateOptions { AddGenerationPrompt = true });
        Assert.Equal("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", chat.Text);
        Assert.Empty(chat.Generations);
    }

    [Fact]
    public void A_last_message_is_continued_where_its_text_ends()
    {
        ChatMessage[] messages = [new(ChatRole.User, "Hi"), new(ChatRole.Assistant, "Hello, I")];
        Assert.EndsWith("assistant\nHello, I", ChatTemplate.Compile(ChatMl).Render(messages, new ChatTemplateOptions { ContinueFinalMessage = true }).Text);
        Assert.Throws<ArgumentException>(() => ChatTemplate.Compile(ChatMl).Render(messages, new ChatTemplateOptions { ContinueFinalMessage = true, AddGenerationPrompt = true }));
        Assert.Throws<ArgumentException>(() => ChatTemplate.Compile("nothing of the content").Render(messages, new ChatTemplateOptions { ContinueFinalMessage = true }));
        Assert.Throws<ArgumentException>(() => ChatTemplate.Compile(ChatMl).Render(messages, new ChatTemplateOptions { ContinueFinalMessage = true, ContinuedField = "reasoning_content" }));
    }

    [Fact]
    public void Another_field_of_the_last_message_can_be_continued()
    {
        ChatMessage[] messages = [new(ChatRole.Assistant, [new TextReasoningContent("First,"), new TextContent("")])];
        ChatTemplate template = ChatTemplate.Compile("{% for m in messages %}<think>{{ m.reasoning_content }}</think>{{ m.content }}{% endfor %}");
        Assert.Equal("<think>First,", template.Render(messages, new ChatTemplateOptions { ContinueFinalMessage = true, ContinuedField = "reasoning_content" }).Text);
    }

    [Fact]
    public void Calls_and_their_results_become_what_templates_read()
    {
        ChatMessage[] messages =
        [
            new(ChatRole.User, "Weather in Lima and Oslo?"),
            new(ChatRole.Assistant, [new TextReasoningContent("Two calls."), new FunctionCallContent("c1", "weather", new Dictionary<string, object?> { ["city"] = "Lima", ["days"] = 2, ["exact"] = 1.0 }), new FunctionCallContent("c2", "weather", new Dictionary<string, object?> { ["city"] = "Oslo" })]),
            new(ChatRole.Tool, [new FunctionResultContent("c1", "sunny"), new FunctionResultContent("c2", new Dictionary<string, object?> { ["sky"] = "gr\u00E5" })]),
        ];
        string text = ChatTemplate.Compile("{% for m in messages %}{{ m | tojson }}\n{% endfor %}").Render(messages).Text;
        Assert.Equal(
            """
            {"role": "user", "content": "Weather in Lima and Oslo?"}
            {"role": "assistant", "reasoning_content": "Two calls.", "tool_calls": [{"type": "function", "id": "c1", "function": {"name": "weather", "arguments": {"city": "Lima", "days": 2, "exact": 1.0}}}, {"type": "function", "id": "c2", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}], "thinking": "Two calls."}
            {"role": "tool", "content": "sunny", "tool_call_id": "c1", "name": "weather"}
            {"role": "tool", "content": "{\"sky\":\"grå\"}", "tool_call_id": "c2", "name": "weather"}

            """,
            text);
    }

    [Fact]
    public void Images_make_contents_a_list_of_parts()
    {
        ChatMessage[] messages = [new(ChatRole.User, [new TextContent("What is this?"), new UriContent("https://example.com/cat.png", "image/png")])];
        Assert.Equal(
            """[{"type": "text", "text": "What is this?"}, {"type": "image", "url": "https://example.com/cat.png"}]""",
            ChatTemplate.Compile("{{ messages[0].content | tojson }}").Render(messages).Text);
    }

    [Fact]
    public void Objects_of_other_types_do_not_reach_a_template()
    {
        ChatMessage[] messages = [new(ChatRole.Assistant, [new FunctionCallContent("c", "f", new Dictionary<string, object?> { ["x"] = new Version(1, 2) })])];
        Assert.Contains("System.Version", Assert.Throws<ArgumentException>(() => ChatTemplate.Compile("").Render(messages)).Message);
    }

    [Fact]
    public void Functions_become_JSON_schemas()
    {
        AIFunctionDeclaration weather = AIFunctionFactory.CreateDeclaration("weather", "The weather of a city.", System.Text.Json.JsonDocument.Parse("""{"type":"object","properties":{"city":{"type":"string"}}}""").RootElement);
        RenderedChat chat = ChatTemplate.Compile("{{ tools | tojson }}").Render([new ChatMessage(ChatRole.User, "x")], new ChatTemplateOptions { Tools = ToolSchemas.From([weather]) });
        Assert.Equal("""[{"type": "function", "function": {"name": "weather", "description": "The weather of a city.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]""", chat.Text);
    }

    [Fact]
    public void Errors_name_the_place_and_the_reason()
    {
        ChatTemplateException wrong = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Compile("line one\n  {% if x %}\n{{ 1 + }}"));
        Assert.Equal((ChatTemplateErrorKind.Syntax, 3, 8), (wrong.Kind, wrong.Line, wrong.Column));
        ChatTemplateException raised = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Compile("\n{{ raise_exception('No ' ~ messages[0].role) }}").Render(new JsonArray(new JsonObject { ["role"] = "user" })));
        Assert.Equal((ChatTemplateErrorKind.Raised, "No user", 2), (raised.Kind, raised.Reason, raised.Line));
        Assert.Contains("line 2", raised.Message);
    }

    [Theory]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 'x' * 1000000000 }}")]
    [InlineData("{{ ['x'] * 1000000000 }}")]
    [InlineData("{% set ns = namespace(x='xx') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=[1, 2]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set a = namespace(x=[1], y=[1]) %}{% for i in range(100) %}{% set a.x = [a.x, a.x] %}{% set a.y = [a.y, a.y] %}{% endfor %}{{ a.x == a.y }}")]
    [InlineData("{% set a = namespace(x=(1,)) %}{% for i in range(100) %}{% set a.x = (a.x, a.x) %}{% endfor %}{{ {a.x: 1} }}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}")]
    [InlineData("{{ '%1000000000d' % 1 }}{{ 'x'.center(1000000000) }}")]
    [InlineData("{{ '{:>1000000000}'.format(1) }}")]
    [InlineData("{{ 7 ** 100000000 }}")]
    [InlineData("{% for i in range(90000) %}{{ 'x' * 900000 }}{% endfor %}")]
    [InlineData("{{ 'abc' | indent(1000000000) }}")]
    [InlineData("{{ [1] | tojson(indent=1000000000) }}")]
    [InlineData("{{ [1] | batch(1000000000, 'x') | list }}")]
    [InlineData("{{ [1] | slice(1000000000, 'x') | list }}")]
    public void Templates_that_want_too_much_are_stopped(string template)
    {
        var options = new ChatTemplateOptions { Limits = new ChatTemplateLimits { MaxSteps = 1_000_000, MaxOutputLength = 1_000_000, MaxCreated = 20_000_000 } };
        Assert.Equal(ChatTemplateErrorKind.Limit, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Compile(template).Render(new JsonArray(), options)).Kind);
    }

    [Fact]
    public void Endless_recursion_is_stopped()
    {
        ChatTemplate template = ChatTemplate.Compile("{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}");
        Assert.Equal(ChatTemplateErrorKind.Value, Assert.Throws<ChatTemplateException>(() => template.Render(new JsonArray())).Kind);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    [InlineData("{1: ", "}")]
    public void Deep_nesting_is_refused(string open, string close)
    {
        string template = "{{ " + string.Concat(Enumerable.Repeat(open, 100_000)) + "1" + string.Concat(Enumerable.Repeat(close, 100_000)) + " }}";
        Assert.Equal(ChatTemplateErrorKind.Limit, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Compile(template)).Kind);
    }

    [Fact]
    public void A_long_chain_of_operators_ends_in_a_value_or_an_error()
    {
        ChatTemplate template = ChatTemplate.Compile("{{ " + string.Join(" + ", Enumerable.Repeat("1", 200_000)) + " }}");
        Exception? problem = Record.Exception(() => Assert.Equal("200000", template.Render(new JsonArray()).Text));
        Assert.True(problem is null or ChatTemplateException { Kind: ChatTemplateErrorKind.Limit }, problem?.ToString());
    }

    [Fact]
    public void Many_threads_render_one_template_as_one_thread_does()
    {
        ChatTemplate template = ChatTemplate.Compile("{% set ns = namespace(n=0) %}{% set c = cycler('a', 'b') %}{% macro show(m) %}{{ m.role }}{{ c.next() }}{% endmacro %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ show(m) }}{{ ns.n }}{{ loop.cycle(1, 2) }}{% generation %}{{ m.content | upper }}{% endgeneration %}{% endfor %}");
        JsonArray[] chats = [.. Enumerable.Range(1, 40).Select(count => new JsonArray([.. Enumerable.Range(0, count).Select(index => new JsonObject { ["role"] = "user", ["content"] = $"text {index}" })]))];
        string[] expected = [.. chats.Select(chat => template.Render(chat).Text)];
        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index =>
        {
            RenderedChat chat = template.Render(chats[index % chats.Length]);
            Assert.Equal(expected[index % chats.Length], chat.Text);
            Assert.Equal(1 + (index % chats.Length), chat.Generations.Count);
        });
    }
}
