using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLComponents.EndToEnd.Tests;

/// <summary>The example as a client of OpenAI's route meets it, over a real connection.</summary>
public class HttpChatTests(HttpChatServer server) : IClassFixture<HttpChatServer>
{
    private const string Route = "/v1/chat/completions";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reply_comes_at_once_and_the_same_as_events()
    {
        JsonObject whole = await Post(Request("Hello", 7));
        string text = (string)whole["choices"]![0]!["message"]!["content"]!;
        Assert.NotEmpty(text);
        Assert.Equal(("chat.completion", "tiny", "assistant", "length"), ((string)whole["object"]!, (string)whole["model"]!, (string)whole["choices"]![0]!["message"]!["role"]!, (string)whole["choices"]![0]!["finish_reason"]!));
        Assert.Equal(14, (int)whole["usage"]!["completion_tokens"]!);
        Assert.Equal((int)whole["usage"]!["prompt_tokens"]! + 14, (int)whole["usage"]!["total_tokens"]!);

        JsonObject request = Request("Hello", 7);
        request["stream"] = true;
        request["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<JsonObject> events = await Events(request);
        Assert.Equal("assistant", (string)events[0]["choices"]![0]!["delta"]!["role"]!);
        JsonNode[] choices = [.. events.SelectMany(item => item["choices"]!.AsArray()).Select(choice => choice!)];
        Assert.Equal(text, string.Concat(choices.Select(choice => (string?)choice["delta"]!["content"])));
        Assert.Equal("length", (string?)choices[^1]["finish_reason"]);
        Assert.All(choices[..^1], choice => Assert.Null(choice["finish_reason"]));
        Assert.True(choices.Length > 3);
        Assert.Single(events.Select(item => (string)item["id"]!).Distinct());
        Assert.Equal(14, (int)events[^1]["usage"]!["completion_tokens"]!);
        Assert.Empty(events[^1]["choices"]!.AsArray());
    }

    [Fact]
    public async Task Parallel_callers_get_what_each_gets_alone_and_one_who_leaves_harms_nobody()
    {
        string[] alone = new string[8];
        for (int index = 0; index < alone.Length; index++) alone[index] = Text(await Post(Request($"Number {index}", index)));

        JsonObject leaving = Request("Leaving", 1);
        leaving["stream"] = true;
        leaving["max_tokens"] = 90;
        using (var request = new HttpRequestMessage(HttpMethod.Post, Route) { Content = JsonContent.Create(leaving) })
        using (HttpResponseMessage response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation))
        using (var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation)))
            Assert.StartsWith("data: ", await reader.ReadLineAsync(Cancellation));

        JsonObject[] together = await Task.WhenAll(Enumerable.Range(0, alone.Length).Select(index => Post(Request($"Number {index}", index))));
        Assert.Equal(alone, together.Select(Text));
        Assert.True(alone.Distinct().Count() > 4);
    }

    [Fact]
    public async Task Schemas_and_required_calls_are_followed_and_results_are_read()
    {
        JsonObject request = Request("Hi", 2);
        request["response_format"] = JsonNode.Parse("""{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"],"additionalProperties":false}}}""");
        JsonObject whole = await Post(request);
        Assert.Contains(JsonNode.Parse(Text(whole))!["ok"]!.GetValueKind(), (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
        Assert.Equal("stop", (string)whole["choices"]![0]!["finish_reason"]!);

        JsonArray tools = JsonNode.Parse("""[{"type":"function","function":{"name":"look","description":"d","parameters":{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":9}},"required":["n"]}}}]""")!.AsArray();
        JsonObject calling = Request("Hi", 2);
        (calling["tools"], calling["tool_choice"], calling["max_tokens"]) = (tools, "required", 60);
        JsonNode choice = (await Post(calling))["choices"]![0]!;
        JsonNode call = choice["message"]!["tool_calls"]![0]!;
        Assert.Equal(("tool_calls", "function", "look"), ((string)choice["finish_reason"]!, (string)call["type"]!, (string)call["function"]!["name"]!));
        Assert.InRange((int)JsonNode.Parse((string)call["function"]!["arguments"]!)!["n"]!, 1, 9);

        calling["stream"] = true;
        JsonNode streamed = (await Events(calling)).SelectMany(item => item["choices"]!.AsArray()).Select(item => item!["delta"]!["tool_calls"]).First(calls => calls is not null)![0]!;
        Assert.Equal((0, "look"), ((int)streamed["index"]!, (string)streamed["function"]!["name"]!));
        Assert.Equal((string)call["function"]!["arguments"]!, (string)streamed["function"]!["arguments"]!);

        JsonObject after = Request("Hi", 2);
        after["messages"]!.AsArray().Add(choice["message"]!.DeepClone());
        after["messages"]!.AsArray().Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = call["id"]!.DeepClone(), ["content"] = "7" });
        int before = (int)(await Post(Request("Hi", 2)))["usage"]!["prompt_tokens"]!;
        Assert.True((int)(await Post(after))["usage"]!["prompt_tokens"]! > before);
    }

    [Fact]
    public async Task What_the_model_thinks_is_apart_from_the_answer()
    {
        JsonObject request = Request("Hi", 2);
        request["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = true };
        JsonNode message = (await Post(request))["choices"]![0]!["message"]!;
        string thought = (string)message["reasoning_content"]!;
        Assert.NotEmpty(thought);
        Assert.Equal("", (string)message["content"]!);

        request["stream"] = true;
        Assert.Equal(thought, string.Concat((await Events(request)).SelectMany(item => item["choices"]!.AsArray()).Select(choice => (string?)choice!["delta"]!["reasoning_content"])));
        request["stream"] = false;
        request["messages"]!.AsArray().Add(message.DeepClone());
        request["messages"]!.AsArray().Add(new JsonObject { ["role"] = "user", ["content"] = "And?" });
        await Post(request);
    }

    [Fact]
    public async Task The_model_is_listed()
    {
        JsonObject models = (await server.Client.GetFromJsonAsync<JsonObject>("/v1/models", Cancellation))!;
        Assert.Equal("tiny", (string)models["data"]![0]!["id"]!);
    }

    [Theory]
    [InlineData("""{"messages": []}""", HttpStatusCode.BadRequest, "no messages")]
    [InlineData("""{"messages": [{"role": "wizard", "content": "x"}]}""", HttpStatusCode.BadRequest, "'wizard'")]
    [InlineData("""{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}""", HttpStatusCode.BadRequest, "'image_url'")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "temperature": -1}""", HttpStatusCode.BadRequest, "Temperature")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "temprature": 1}""", HttpStatusCode.BadRequest, "'temprature'")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "n": 2}""", HttpStatusCode.BadRequest, "n is 2")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}, "stream": true}""", HttpStatusCode.BadRequest, "schema")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "model": "gpt-5"}""", HttpStatusCode.NotFound, "'gpt-5'")]
    [InlineData("""{"messages": [null]}""", HttpStatusCode.BadRequest, "message is null")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function"}]}""", HttpStatusCode.BadRequest, "function")]
    [InlineData("""{"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]}]}""", HttpStatusCode.BadRequest, "")]
    [InlineData("""{"messages": [{"role": "user", "content": "x"}], "stop": [null]}""", HttpStatusCode.BadRequest, "empty")]
    [InlineData("""{"model": "tiny"}""", HttpStatusCode.BadRequest, "messages")]
    [InlineData("""{"messages": """, HttpStatusCode.BadRequest, "")]
    public async Task What_cannot_be_done_is_an_error_that_names_it(string body, HttpStatusCode status, string expected)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await server.Client.PostAsync(Route, content, Cancellation);
        Assert.Equal(status, response.StatusCode);
        JsonObject error = (await response.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!;
        Assert.Contains(expected, (string)error["error"]!["message"]!);
        Assert.Equal("invalid_request_error", (string)error["error"]!["type"]!);
    }

    private static JsonObject Request(string text, int seed) => new()
    {
        ["model"] = "tiny",
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["temperature"] = 1,
        ["seed"] = seed,
        ["max_tokens"] = 14,
        ["eos_token_id"] = new JsonArray(),
        ["user"] = "someone",
    };

    private static string Text(JsonObject whole) => (string)whole["choices"]![0]!["message"]!["content"]!;

    private async Task<JsonObject> Post(JsonObject request)
    {
        using HttpResponseMessage response = await server.Client.PostAsJsonAsync(Route, request, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonNode.Parse(body)!.AsObject();
    }

    private async Task<List<JsonObject>> Events(JsonObject request)
    {
        using HttpResponseMessage response = await server.Client.PostAsJsonAsync(Route, request, Cancellation);
        string body = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        string[] events = body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, item => Assert.StartsWith("data: ", item));
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(item => JsonNode.Parse(item["data: ".Length..])!.AsObject())];
    }
}
