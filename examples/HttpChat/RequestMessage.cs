using System.Text.Json;
using Microsoft.Extensions.AI;

namespace HttpChat;

/// <summary>A message, under OpenAI's names.</summary>
internal sealed record RequestMessage
{
    public required string Role { get; init; }

    public JsonElement? Content { get; init; }

    /// <summary>What the model thought before it answered.</summary>
    public string? ReasoningContent { get; init; }

    public string? Name { get; init; }

    public string? ToolCallId { get; init; }

    public IReadOnlyList<Call>? ToolCalls { get; init; }

    public ChatMessage ToMessage()
    {
        if (Role == "tool") return new ChatMessage(ChatRole.Tool, [new FunctionResultContent(ToolCallId ?? throw new ArgumentException("A tool message has no tool_call_id."), string.Concat(Texts()))]);
        List<AIContent> contents = [.. Texts().Select(static text => new TextContent(text))];
        if (!string.IsNullOrEmpty(ReasoningContent)) contents.Insert(0, new TextReasoningContent(ReasoningContent));
        foreach (Call call in ToolCalls ?? [])
            contents.Add(new FunctionCallContent(call.Id, call.Function.Name, JsonSerializer.Deserialize<Dictionary<string, object?>>(call.Function.Arguments)));
        ChatRole role = Role switch
        {
            "system" or "developer" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw new ArgumentException($"A message has the role '{Role}'; expected system, developer, user, assistant or tool."),
        };
        return new ChatMessage(role, contents) { AuthorName = Name };
    }

    private IEnumerable<string> Texts()
    {
        switch (Content)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return [];
            case { ValueKind: JsonValueKind.String } text:
                return [text.GetString()!];
            default:
                return Content.Value.Deserialize<List<Part>>(CompletionRoute.Json)!.Select(static part => part is { Type: "text", Text: { } text }
                    ? text
                    : throw new NotSupportedException($"A message has a part of the type '{part.Type}'; expected text."));
        }
    }

    internal sealed record Part(string Type, string? Text = null);

    internal sealed record Call(string Id, Function Function);

    internal sealed record Function(string Name, string Arguments);
}
