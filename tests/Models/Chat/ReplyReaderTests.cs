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

    private static string Text(IEnumerable<AIContent> contents) => string.Concat(contents.Cast<TextContent>().Select(content => content.Text));
}
