using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MLComponents.Models.Tests;

public class ReplyReaderTests
{
    private static readonly HashSet<string> s_functions = ["weather", "add"];

    public static TheoryData<string, string[]> Replies => new()
    {
        { "Hello <b>you</b>", ["Hello <b>you</b>"] },
        { "  \n", ["  \n"] },
        { "", [] },
        { "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Lima\"}}\n</tool_call>", ["weather{\"city\":\"Lima\"}"] },
        { "Let me see.\n<tool_call>{\"name\":\"weather\",\"arguments\":{}}</tool_call>\n<tool_call>{\"name\":\"add\",\"arguments\":{\"a\":1,\"b\":[2,null]}}</tool_call>\n", ["Let me see.", "weather{}", "add{\"a\":1,\"b\":[2,null]}"] },
        { "<tool_call>{\"name\":\"unknown\",\"arguments\":{\"x\":\"y\"}}</tool_call> and more", ["unknown{\"x\":\"y\"}", " and more"] },
        { "<tool_call>{\"name\":\"add\",\"arguments\":\"{\\\"a\\\": 3}\"}", ["add{\"a\":3}"] },
        { "<tool_call>{\"name\":\"add\",\"argum", ["<tool_call>{\"name\":\"add\",\"argum"] },
        { "a <tool_call>no json</tool_call> b", ["a", "<tool_call>no json</tool_call>", " b"] },
        { "a <tool_", ["a <tool_"] },
        { "{\"name\": \"weather\", \"parameters\": {\"city\": \"Lima\"}}", ["weather{\"city\":\"Lima\"}"] },
        { "\n[{\"name\": \"add\", \"arguments\": {\"a\": 1}}, {\"name\": \"add\", \"arguments\": {\"a\": 2}}]\n", ["add{\"a\":1}", "add{\"a\":2}"] },
        { "{\"type\": \"function\", \"function\": {\"name\": \"add\", \"arguments\": {\"a\": 1}}}", ["add{\"a\":1}"] },
        { "{\"name\": \"Ada\", \"arguments\": {}}", ["{\"name\": \"Ada\", \"arguments\": {}}"] },
        { "[1, 2]", ["[1, 2]"] },
        { "[]", ["[]"] },
        { "{ is a brace. <tool_call>{\"name\":\"add\"}</tool_call>", ["{ is a brace.", "add{}"] },
        { "{\"name\": \"add\", \"arguments\": 7}", ["{\"name\": \"add\", \"arguments\": 7}"] },
        { "{\"name\": \"add\", \"arguments\": \"not json\"}", ["{\"name\": \"add\", \"arguments\": \"not json\"}"] },
    };

    [Theory]
    [MemberData(nameof(Replies))]
    public void Calls_are_found_and_all_else_stays_text_however_the_text_comes(string reply, string[] expected)
    {
        foreach (int size in (int[])[1, 2, 3, 7, 1000])
        {
            var reader = new ReplyReader(s_functions);
            List<string> found = [];
            bool wasText = false;
            for (int place = 0; place == 0 || place < reply.Length; place += size)
            {
                int end = Math.Min(reply.Length, place + size);
                foreach (AIContent content in reader.Add(reply[place..end], end == reply.Length))
                {
                    if (content is TextContent text)
                    {
                        if (wasText && size < 1000) found[^1] += text.Text;
                        else found.Add(text.Text);
                    }

                    wasText = content is TextContent;
                    if (content is FunctionCallContent call)
                    {
                        Assert.NotEmpty(call.CallId);
                        found.Add(call.Name + JsonSerializer.Serialize(call.Arguments));
                    }
                }
            }

            if (size < 1000) Assert.Equal(string.Concat(expected), string.Concat(found));
            else Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void Text_does_not_wait_longer_than_it_must()
    {
        var reader = new ReplyReader(s_functions);
        Assert.Equal("Hello", Text(reader.Add("Hello", false)));
        Assert.Equal("", Text(reader.Add(" ", false)));
        Assert.Equal(" you <to", Text(reader.Add("you <to", false)) + Text(reader.Add("", true)));
        Assert.Equal("{}<tool_call>", Text(new ReplyReader(null).Add("{}<tool_call>", false)));
    }

    [Theory]
    [InlineData("<think>\nTwo cities.\n\nNo: one.\n</think>\n\nLima is warm.", "Two cities.\n\nNo: one.", "Lima is warm.")]
    [InlineData("\n<think></think>\n\nYes", "", "Yes")]
    [InlineData("<think>If a < b </th then", "If a < b </th then", "")]
    [InlineData("<thinker> thinks", "", "<thinker> thinks")]
    [InlineData("Is <think>this</think> one?", "", "Is <think>this</think> one?")]
    [InlineData("<think>call</think>\n<tool_call>{\"name\":\"add\"}</tool_call>", "call", "add{}")]
    [InlineData("<think>I need it.\n<tool_call>{\"name\":\"add\"}</tool_call>", "I need it.", "add{}")]
    [InlineData("<think>a <tool_call> is\nneeded</think>Yes", "a <tool_call> is\nneeded", "Yes")]
    [InlineData("<think>it</think> [{\"name\":\"add\"}] ", "it", "add{}")]
    public void What_a_model_thinks_before_it_answers_is_no_part_of_the_answer_however_the_text_comes(string reply, string thought, string answer)
    {
        foreach (int size in (int[])[1, 2, 3, 7, 1000])
        {
            Assert.Equal((thought, answer), ReadIn(size, reply, new ReplyReader(s_functions)));
            if (!reply.Contains("\"add\"", StringComparison.Ordinal)) Assert.Equal((thought, answer), ReadIn(size, reply, new ReplyReader(null)));
        }

        static (string Thought, string Answer) ReadIn(int size, string reply, ReplyReader reader)
        {
            AIContent[] contents = [.. reply.Chunk(size).SelectMany((chunk, index) => reader.Add(new string(chunk), (index + 1) * size >= reply.Length))];
            return (string.Concat(contents.OfType<TextReasoningContent>().Select(content => content.Text)),
                string.Concat(contents.Select(content => content is TextContent text ? text.Text : content is FunctionCallContent call ? call.Name + JsonSerializer.Serialize(call.Arguments) : "")));
        }
    }

    [Fact]
    public void A_thought_that_the_prompt_has_opened_is_one_from_the_first_word_on()
    {
        var reader = new ReplyReader(null, isThinking: true);
        var first = Assert.IsType<TextReasoningContent>(Assert.Single(reader.Add("\nWarm", false)));
        Assert.Equal("Warm", first.Text);
        Assert.Empty(reader.Add(" ", false));
        Assert.Equal("It is.", Text(reader.Add("</think> It is.", true)));
    }

    private static string Text(IEnumerable<AIContent> contents) => string.Concat(contents.Cast<TextContent>().Select(content => content.Text));
}
